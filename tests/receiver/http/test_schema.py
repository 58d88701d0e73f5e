"""Whatever a client sends: each answer is one that the OpenAPI document describes."""

import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias
from zlib import crc32

import httpx2
import pytest
import schemathesis
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from bench.receiver.database import Database
from bench.receiver.tables import METADATA
from tests.receiver.http.serving import served
from tests.receiver.http.test_moderation import TOKEN, moderators
from tests.receiver.sent import bundle, sent

pytestmark = pytest.mark.servers

CASES: Final = 1000
SETTINGS: Final = settings(
    max_examples=CASES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
DOCUMENT: Final = Path(__file__).parents[3] / "docs" / "receiver-openapi.json"
SCHEMA: Final = schemathesis.openapi.from_dict(json.loads(DOCUMENT.read_text(encoding="utf-8")))
Case: TypeAlias = schemathesis.Case[Any]
SUBMIT: Final = "POST /api/submissions"
BEYOND_SCHEMA: Final = {SUBMIT, "POST /api/moderation/confirmations"}
"""No JSON Schema says that a signature fits its payload, or that a file at a URL confirms a key."""


@SCHEMA.auth()
class Token:
    """The token of the moderators, which schemathesis leaves out and spoils to see that it matters."""

    def get(self, case: Case, context: schemathesis.AuthContext) -> str:
        return TOKEN

    def set(self, case: Case, data: str, context: schemathesis.AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


@cache
def document(seed: int) -> Any:
    return json.loads(bundle(seed))


def with_real_parts(case: Case, ids: list[str]) -> None:
    """Half of the cases that fit the schema get a signed bundle, or the id of a submission that is there."""
    draw = crc32(repr((case.body, case.path_parameters, case.headers)).encode(errors="surrogatepass"))
    if draw % 2 or case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if case.operation.label == SUBMIT:
        case.body = document(draw % 97)
    elif ids and "submission_id" in case.path_parameters:
        case.path_parameters["submission_id"] = ids[draw % len(ids)]


@pytest.fixture
def ids() -> list[str]:
    return []


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(f"sqlite:///{tmp_path}/receiver.sqlite") as opened:
        yield opened


@pytest.fixture
def client(database: Database, ids: list[str], tmp_path: Path) -> Iterator[httpx2.Client]:
    """A server with ten submissions, half of them held."""
    ids += [sent(database, seed).id for seed in range(5)]
    ids += [sent(database, seed, note="hello").id for seed in range(5, 10)]
    with served(database, tmp_path, [], moderators=moderators()) as found:
        yield found


def empty(connection: sa.Connection) -> None:
    for table in reversed(METADATA.sorted_tables):
        connection.execute(table.delete())


def strays() -> SearchStrategy[dict[str, str]]:
    """Parameters that no operation has: they make a thousand different requests of one without any."""
    return st.dictionaries(st.text(min_size=1, max_size=9), st.text(max_size=9), max_size=3)


def excluded(case: Case) -> list[Any]:
    return [positive_data_acceptance] if case.operation.label in BEYOND_SCHEMA else []


@SCHEMA.given(query=strays())
@SCHEMA.parametrize()
@SETTINGS
def test_each_answer_is_one_that_the_document_describes(
    case: Case, client: httpx2.Client, ids: list[str], query: dict[str, str]
) -> None:
    """A server error, an undocumented status, type or document, wrong data accepted, right data refused, a
    method without 405 and `Allow`, and a request without the token that is answered are failures.
    """
    with_real_parts(case, ids)
    case.query = {**query, **case.query}
    case.call_and_validate(base_url=str(client.base_url), excluded_checks=excluded(case))


def test_what_one_answer_links_to_is_there(client: httpx2.Client, database: Database, ids: list[str]) -> None:
    answers: Counter[tuple[str, int]] = Counter()

    class Machine(SCHEMA.as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            database.write(empty)  # each scenario begins alike

        def before_call(self, case: Case) -> None:
            with_real_parts(case, [])  # ids come from links

        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            return {"base_url": str(client.base_url)}

        def validate_response(self, response: schemathesis.Response, case: Case, **given: Any) -> None:
            answers[(case.operation.label, response.status_code)] += 1
            case.validate_response(response, excluded_checks=excluded(case), recorder=self.recorder)

    Machine.run(settings=settings(SETTINGS, max_examples=200, stateful_step_count=6))

    assert sum(answers.values()) >= CASES
    assert answers[(SUBMIT, 201)] and answers[("GET /api/submissions/{submission_id}", 200)]
