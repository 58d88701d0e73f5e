"""What is refused before anything is signed, and what is not."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.errors import RecordError, UsageError
from bench.records.enums import WeightMode
from bench.records.findings import Severity
from bench.store.canonical import content_hash
from bench.store.record_files import write_record
from bench.submit.draft import Draft, draft
from bench.units import GIB
from tests.identity.signers import bundled
from tests.samples.predictions import derived_record
from tests.validate.edits import edited
from tests.validate.good import NOW, good, ordinary
from tests.validate.recipes import Recipe

SHORT = Recipe(clips=(10.0,), tokens=(32,))
KINDS = {
    "measured": SHORT,
    "local": replace(SHORT, weights=WeightMode.LOCAL),
    "random": replace(SHORT, weights=WeightMode.RANDOM),
    "emulated": replace(SHORT, card="h200", emulated_bytes=12 * GIB),
    "smoke": Recipe(card=None, weights=WeightMode.TINY, suite="smoke"),
    "unknown card": replace(SHORT, card="NVIDIA GeForce RTX 6090"),
}


def drafted(path: Path, *, handle: str | None = None, note: str | None = None) -> Draft:
    return draft(path, NOW, handle=handle, note=note)


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_of_every_kind_can_be_submitted(kind: str, tmp_path: Path) -> None:
    write_record(good(KINDS[kind]), tmp_path / "r.json")
    made = drafted(tmp_path / "r.json", handle="ada", note="Beside a desktop.")
    assert made.findings.count(Severity.ERROR) == 0, made.findings
    assert made.document == json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))


def test_a_prediction_is_refused(tmp_path: Path) -> None:
    write_record(derived_record(), tmp_path / "r.json")
    with pytest.raises(RecordError, match="is a prediction, which is not submitted"):
        drafted(tmp_path / "r.json")


def test_a_bundle_a_folder_a_journal_and_nothing_are_refused(tmp_path: Path) -> None:
    (tmp_path / "b.bundle.json").write_bytes(bundled(ordinary()))
    (tmp_path / "x.journal.jsonl").write_text("{}\n")
    for name, why in {
        "b.bundle.json": "is a bundle already",
        ".": "is a folder",
        "x.journal.jsonl": "this run is unfinished",
        "absent.json": "no such file",
    }.items():
        with pytest.raises(RecordError, match=why):
            drafted(tmp_path / name)


def test_errors_of_the_validator_are_found(tmp_path: Path) -> None:
    document = edited({"cells[0].summary.latency_s.median": 99_999.0})
    (tmp_path / "r.json").write_text(json.dumps(document), encoding="utf-8")
    codes = {each.code for each in drafted(tmp_path / "r.json").findings.findings}
    assert codes == {"hash_mismatch", "summary_mismatch"}


@pytest.mark.parametrize(
    "secret",
    ["hf_AbCdEfGhIjKlMnOp", "/home/ada/models", "GPU-8f3a2b1c-0d4e-4f5a-9b6c-7d8e9f0a1b2c", "1652922012345"],
)
def test_private_text_is_found_in_the_record_and_in_the_note(secret: str, record: Path) -> None:
    document = edited({"environment.cpu": f"A CPU {secret}"})
    document["content_hash"] = content_hash(document)
    planted = record.with_name("planted.json")
    planted.write_text(json.dumps(document), encoding="utf-8")
    for made, path in (
        (drafted(planted), "$.environment.cpu"),
        (drafted(record, note=f"see {secret}"), "$.predicate.note"),
    ):
        assert [(each.code, each.path) for each in made.findings.findings] == [("private_text", path)]
        assert secret not in made.findings.model_dump_json()


def test_the_users_own_name_is_found_but_in_the_handle(record: Path) -> None:
    document = edited({"environment.cpu": "the CPU of Adalovelace"})
    document["content_hash"] = content_hash(document)
    planted = record.with_name("planted.json")
    planted.write_text(json.dumps(document), encoding="utf-8")
    code = (
        "import sys; from pathlib import Path; from tests.submit.test_draft import drafted\n"
        "made = drafted(Path(sys.argv[1]), handle='adalovelace', note='by adalovelace')\n"
        "print([each.path for each in made.findings.findings])"
    )
    own = {**os.environ, "LOGNAME": "adalovelace", "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run(
        [sys.executable, "-c", code, str(planted)], capture_output=True, text=True, check=True, env=own
    )
    assert said.stdout == "['$.environment.cpu', '$.predicate.note']\n"


@pytest.mark.parametrize("handle", ["", "two words", "a\u202eb", "-x", "x" * 40, "<b>", "ä"])
def test_an_impossible_handle_is_one_line(handle: str, record: Path) -> None:
    with pytest.raises(UsageError, match="is not a handle") as caught:
        drafted(record, handle=handle)
    assert str(caught.value).isprintable()


def test_a_note_is_one_line_of_limited_length(record: Path) -> None:
    assert drafted(record, note=" two\nlines\x1b[2J ").note == "two lines\ufffd[2J"
    for note in (" ", "x" * 501):
        with pytest.raises(UsageError, match="characters"):
            drafted(record, note=note)
