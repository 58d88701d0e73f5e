"""The last line of `bench run --ci`: results for scripts, as one line of JSON."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.judge.expectations import count
from bench.records.enums import Verdict
from bench.report.ci.cases import Case

SCHEMA_VERSION: Final = "1.0"


@dataclass(frozen=True, slots=True)
class Files:
    """Paths of the files that a run wrote; None if it wrote no such file."""

    record: Path | None = None
    report: Path | None = None
    junit: Path | None = None
    summary: Path | None = None


def render(exit_code: int, verdict: Verdict | None, files: Files, cases: Sequence[Case]) -> str:
    """Compact JSON in ASCII, without a line end. `verdict` is None if nothing ran."""
    counts = Counter(case.cell.outcome.status for case in cases)
    content = {
        "schema_version": SCHEMA_VERSION,
        "exit_code": int(exit_code),
        "verdict": verdict,
        "record": _path(files.record),
        "report": _path(files.report),
        "junit": _path(files.junit),
        "summary": _path(files.summary),
        "cells": dict(sorted(counts.items())),
        "expectations": count(tuple(finding for case in cases for finding in case.findings)),
    }
    # Anywhere in a line, `##[` begins one of the older workflow commands.
    return json.dumps(content, separators=(",", ":"), ensure_ascii=True).replace("##[", "##\\u005b")


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)
