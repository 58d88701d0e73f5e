"""`bench validate`: files and folders, lines and JSON, and its exit codes."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pydantic import JsonValue

from bench import shipped
from bench.records.findings import FindingsDocument
from bench.store.canonical import content_hash
from bench.store.record_files import write_record
from tests.cli.conftest import Say
from tests.site.results import put
from tests.validate.edits import document_of, edited
from tests.validate.good import good, ordinary
from tests.validate.recipes import Recipe

Write = Callable[..., str]
SUSPICIOUS: dict[str, JsonValue] = {"cells[0].power.temperature_c.high": 97.0}
WRONG: dict[str, JsonValue] = {"cells[0].summary.latency_s.median": 99_999.0}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write an ordinary record with these changes, hashed again; return its name."""

    def written(name: str, changes: dict[str, JsonValue] | None = None) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        document = edited(changes or {})
        document["content_hash"] = content_hash(document)
        path.write_text(json.dumps(document), encoding="utf-8")
        return name

    return written


def test_a_good_record(say: Say, write: Write) -> None:
    said = say("validate", write("good.json"))
    assert (said.code, said.out, said.err) == (0, "good.json: no findings\n", "")


def test_a_suspicious_one_is_no_error(say: Say, write: Write) -> None:
    said = say("validate", write("hot.json", SUSPICIOUS))
    assert said.code == 0
    assert said.out.splitlines()[0] == "hot.json: 1 suspicious finding"
    assert "  suspicious: This reading is unusual. [reading_unusual]\n" in said.out
    assert "    $.cells[0].power.temperature_c. Say in a note" in said.out


def test_an_error_names_its_path_and_what_would_clear_it(say: Say, write: Write) -> None:
    said = say("validate", write("wrong.json", WRONG))
    assert said.code == 1
    first, sentence, where = said.out.splitlines()
    assert first == "wrong.json: 1 error"
    assert sentence.startswith("  error: The summary states 99999 s, the raw values give ")
    assert where.startswith("    $.cells[0].summary.latency_s.median. Run the suite again")


def test_what_is_no_record(say: Say, tmp_path: Path) -> None:
    (tmp_path / "no.json").write_text("[]", encoding="utf-8")
    said = say("validate", "no.json")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("bench: no.json: is not a record")


def test_of_several_files_the_highest_code_counts(say: Say, write: Write, tmp_path: Path) -> None:
    names = [write("good.json"), write("wrong.json", WRONG)]
    said = say("validate", *names)
    assert said.code == 1
    assert said.out.endswith("\n2 files: 1 without errors, 1 with errors, 0 no record\n")
    (tmp_path / "no.json").write_text("", encoding="utf-8")
    for some in (["no.json", *names], [*names, "no.json"]):
        said = say("validate", *some)
        assert (said.code, said.err) == (2, "bench: 1 of 3 files is no record\n")
        assert "no.json: no record: " in said.out


def test_a_folder_stands_for_its_records(say: Say, write: Write) -> None:
    write("results/a/one.json")
    write("results/b/two.json", WRONG)
    said = say("validate", "results")
    assert said.code == 1
    assert [line.split(":")[0] for line in said.out.splitlines() if line.startswith("results")] == [
        str(Path("results/a/one.json")),
        str(Path("results/b/two.json")),
    ]


def test_a_file_that_is_not_there_and_an_empty_folder(say: Say, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    absent, empty = say("validate", "absent.json"), say("validate", "empty")
    assert (absent.code, empty.code) == (2, 2)
    assert absent.line().startswith("bench: absent.json: no such file. ")
    assert empty.line().startswith("bench: empty: contains no records. ")
    assert say("validate").code == 2


def test_json_follows_its_schema(say: Say, write: Write, tmp_path: Path) -> None:
    (tmp_path / "no.json").write_text("{}", encoding="utf-8")
    said = say("validate", write("wrong.json", WRONG), write("good.json"), "no.json", "--json")
    assert said.code == 2
    document = json.loads(said.out)
    schema = json.loads((shipped.schemas() / "findings-1.0.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(document)
    wrong, fine, refused = FindingsDocument.model_validate_json(said.out).files
    assert [each.code for each in wrong.findings] == ["summary_mismatch"]
    assert (fine.findings, fine.refusal) == ((), None)
    assert refused.refusal is not None


def test_text_of_a_record_cannot_reach_the_terminal(say: Say, write: Write) -> None:
    hostile = "NVIDIA \u202e\x1b[31mCard\n\u2028"
    said = say("validate", write("hostile.json", {"device.name": hostile, "device.slug": "card"}))
    assert said.code == 0
    assert all(line.isprintable() for line in said.out.split("\n"))
    assert "is not in the catalog yet" in said.out


def test_against_other_records_of_the_card(say: Say, tmp_path: Path) -> None:
    recipe = Recipe(card="rtx-4090", clips=(10.0,), tokens=(32,), repeats=3)
    for nth in range(3):
        put(tmp_path / "results", good(replace(recipe, seed=nth)), key=nth)
    sent = good(replace(recipe, seed=9))
    write_record(sent, tmp_path / "sent.json")
    alike = say("validate", "sent.json", "--against", "results")
    assert alike.code == 0, alike.out
    assert "outlier_of_card" not in alike.out

    slow = document_of(sent)
    slow["cells"][0]["summary"]["latency_s"]["median"] *= 10
    (tmp_path / "slow.json").write_text(json.dumps(slow), encoding="utf-8")
    unlike = say("validate", "slow.json", "--against", "results", "--json")
    codes = {each.code for each in FindingsDocument.model_validate_json(unlike.out).files[0].findings}
    assert codes - {"outside_prediction"} == {"hash_mismatch", "summary_mismatch", "outlier_of_card"}


@pytest.mark.parametrize("others", ["absent", "sent.json"])
def test_against_what_is_no_folder_is_a_mistake(say: Say, tmp_path: Path, others: str) -> None:
    write_record(ordinary(), tmp_path / "sent.json")
    said = say("validate", "sent.json", "--against", others)
    assert (said.code, said.out) == (2, "")
    assert f"--against: {others} is not a folder" in said.err
