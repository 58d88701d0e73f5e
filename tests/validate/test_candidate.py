"""What the rules get of a file."""

import json

import pytest

from bench.records.findings import Code
from bench.validate.candidate import Found
from tests.validate import edits


def test_the_definition_is_read_as_the_suite_that_ran() -> None:
    suite = edits.candidate(edits.fresh()).suite
    assert suite is not None
    assert suite.name == "quick"
    assert suite.axes.clip_seconds == (10.0, 60.0)


def test_a_definition_that_is_no_suite_is_none() -> None:
    broken = edits.edited({"suite.definition": {"name": "quick"}})
    assert edits.candidate(broken).suite is None


def test_measured_cells_come_with_their_places() -> None:
    document = edits.fresh()
    document["cells"][1] |= {
        "outcome": {"status": "failed", "reason": "it fell"},
        "repeats": [],
        "summary": None,
    }
    paths = [path for path, _ in edits.candidate(document).measured]
    assert paths == ["cells[0]", "cells[2]", "cells[3]"]


@pytest.mark.parametrize("code", ["suite_own"])
def test_a_finding_without_facts_has_none(code: Code) -> None:
    assert json.dumps(dict(Found(code, "suite").facts)) == "{}"
