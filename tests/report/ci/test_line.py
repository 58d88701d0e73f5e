"""The line for scripts."""

import json
from pathlib import Path

from bench.records.enums import Verdict
from bench.report.ci.cases import cases_of
from bench.report.ci.line import Files, render
from tests.samples import records as sample


def test_it_counts_outcomes_and_expectations() -> None:
    record = sample.record(sample.standard().cells, definition={"expect": [{"fits": True}]})
    line = render(4, Verdict.RUNS, Files(record=Path("a.json"), junit=Path("a.junit.xml")), cases_of(record))
    assert json.loads(line) == {
        "schema_version": "1.0",
        "exit_code": 4,
        "verdict": "runs",
        "record": "a.json",
        "report": None,
        "junit": "a.junit.xml",
        "summary": None,
        "cells": {
            "failed": 1, "measured": 20, "out_of_memory": 1, "skipped": 1, "timeout": 1, "unsupported": 24,
        },
        "expectations": {"met": 20, "not_met": 2, "not_judged": 26},
    }  # fmt: skip


def test_it_is_one_line_of_ascii_and_no_workflow_command() -> None:
    path = Path("::a\n\u2028##[error]\x1b.json")
    line = render(0, None, Files(record=path), ())
    assert line.isascii()
    assert line.isprintable()
    assert "##[" not in line
    assert json.loads(line)["record"] == str(path)
