"""Codes of findings, and the document that lists them."""

from typing import get_args

import pytest
from pydantic import ValidationError

from bench.records.findings import (
    SEVERITY_ORDER,
    Code,
    Finding,
    FindingsDocument,
    RecordFindings,
    Severity,
    severity_of,
)

CODES: tuple[Code, ...] = get_args(Code)


def found(code: Code, severity: Severity) -> Finding:
    return Finding(code=code, severity=severity, path="$", facts={}, sentence="It is.", remedy="Run again.")


def test_a_code_is_an_error_unless_it_is_named() -> None:
    assert severity_of("hash_mismatch") is Severity.ERROR
    assert severity_of("rate_near_card") is Severity.SUSPICIOUS
    assert severity_of("suite_own") is Severity.NOTE
    assert {severity_of(code) for code in CODES} == set(Severity)


def test_what_is_merely_near_or_unusual_is_no_error() -> None:
    words = ("near", "unusual", "outlier", "outside", "spread")
    for code in CODES:
        if any(word in code for word in words):
            assert severity_of(code) is Severity.SUSPICIOUS, code
        if code.endswith(("_contradicted", "_mismatch", "_above_card", "_copied", "_impossible")):
            assert severity_of(code) is Severity.ERROR, code


def test_errors_come_first() -> None:
    assert sorted(Severity, key=lambda each: SEVERITY_ORDER[each]) == [
        Severity.ERROR,
        Severity.SUSPICIOUS,
        Severity.NOTE,
    ]


def test_findings_are_counted_by_severity() -> None:
    findings = (
        found("hash_mismatch", Severity.ERROR),
        found("cell_missing", Severity.ERROR),
        found("suite_own", Severity.NOTE),
    )
    about = RecordFindings(file="a.json", record_id=None, content_hash=None, findings=findings)
    assert [about.count(severity) for severity in Severity] == [2, 0, 1]


def test_a_document_is_read_back_and_another_version_is_refused() -> None:
    about = RecordFindings(file="a.json", record_id=None, content_hash=None, findings=())
    document = FindingsDocument(files=(about,))
    assert FindingsDocument.model_validate_json(document.model_dump_json()) == document
    with pytest.raises(ValidationError):
        FindingsDocument.model_validate({"schema_version": "2.0", "files": []})
