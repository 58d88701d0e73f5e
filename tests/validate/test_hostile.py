"""Each hostile file gets the findings that its case states, and no good text of a stranger harms a reader."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.records.findings import Severity
from bench.store.record_files import MAX_RECORD_BYTES
from bench.validate.files import judge
from tools.hostile.corpus import EXPECTED, FOLDER, cases

NOW = datetime(2026, 12, 1, tzinfo=UTC)
STATED = json.loads(EXPECTED.read_text(encoding="utf-8"))


def exit_code(path: Path) -> int:
    found = judge(path, NOW)
    return 2 if found.refusal is not None else int(found.count(Severity.ERROR) > 0)


def test_there_are_eighty_and_more_and_each_case_has_its_file() -> None:
    assert len(STATED) >= 80
    assert {f"{case.name}.json" for case in cases()} == STATED.keys()
    assert {path.name for path in FOLDER.iterdir()} == {*STATED, EXPECTED.name}


@pytest.mark.parametrize("name", STATED)
def test_a_hostile_file_gets_what_its_case_states(name: str) -> None:
    found = judge(FOLDER / name, NOW)
    assert {finding.code for finding in found.findings} >= set(STATED[name]["codes"]), found
    assert exit_code(FOLDER / name) == STATED[name]["exit_code"], found


@pytest.mark.parametrize("name", STATED)
def test_nothing_of_a_file_reaches_the_terminal_uncleaned(name: str) -> None:
    found = judge(FOLDER / name, NOW)
    said = [found.refusal or "", *(f"{each.sentence}{each.remedy}{each.path}" for each in found.findings)]
    assert all(text.isprintable() for text in said)


def test_a_file_of_fifty_megabytes_is_judged(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    path.write_bytes(b'{"cells": [' + b"0," * (25 * 2**20) + b"0]}")
    assert exit_code(path) == 2


def test_a_file_beyond_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(MAX_RECORD_BYTES + 1)
    found = judge(path, NOW)
    assert found.refusal is not None
    assert "larger than" in found.refusal
