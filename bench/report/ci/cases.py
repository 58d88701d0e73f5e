"""The cells of a record as test cases, for all formats for build servers."""

from dataclasses import dataclass
from enum import StrEnum

from bench import units
from bench.judge.expectations import judge_cell, stated
from bench.records.cell import CellResult, Requested
from bench.records.expectations import ExpectationResult, Finding
from bench.records.record import Record
from bench.report.basics import Status
from bench.report.labels import status
from bench.suite.expectations import Expectation
from bench.wording import expectations


class Result(StrEnum):
    """Result of a test case, in the words that JUnit and pytest share."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Case:
    """One cell, the findings on what its suite expects, and its result as a test."""

    cell: CellResult
    name: str
    status: Status
    findings: tuple[Finding, ...]
    result: Result

    @property
    def unmet(self) -> tuple[Finding, ...]:
        """The expectations that are not met."""
        return tuple(finding for finding in self.findings if finding.met is ExpectationResult.NOT_MET)

    @property
    def why(self) -> str:
        """Reason for not passing, in one line; empty if passed. May contain text from the record."""
        if self.result is Result.FAILED:
            both = ((expectations.wanted(each), expectations.found(each)) for each in self.unmet)
            return "; ".join(f"expected {wanted}, found {found}" for wanted, found in both)
        if self.result is Result.PASSED:
            return ""
        return f"{self.status.word}: {self.status.reason}" if self.status.reason else self.status.word


def cases_of(record: Record) -> tuple[Case, ...]:
    """The case of every cell, in the order of the record.

    Raises:
        RecordError: the expectations of its suite cannot be read.
    """
    wanted = stated(record)
    return tuple(case_of(cell, wanted) for cell in record.cells)


def name_of(requested: Requested) -> str:
    """`10 s, 128 tokens, sdpa`."""
    return (
        f"{units.clip_length(requested.clip_seconds)}, {requested.max_tokens} tokens, {requested.attention}"
    )


def case_of(cell: CellResult, wanted: tuple[Expectation, ...]) -> Case:
    """The case of one cell, judged by the expectations of its suite."""
    findings = tuple(judge_cell(cell, wanted))
    return Case(cell, name_of(cell.requested), status(cell.outcome), findings, _result(cell, findings))


def _result(cell: CellResult, findings: tuple[Finding, ...]) -> Result:
    """Expectations decide first. Without any, out of memory is a result and passes, as a cell that ran."""
    judged = {finding.met for finding in findings if finding.key == "fits"}
    if cell.has_failed:
        return Result.ERROR
    if any(finding.met is ExpectationResult.NOT_MET for finding in findings):
        return Result.FAILED
    if cell.outcome.status == "measured" or ExpectationResult.MET in judged:
        return Result.PASSED
    return Result.PASSED if cell.outcome.status == "out_of_memory" and not judged else Result.SKIPPED
