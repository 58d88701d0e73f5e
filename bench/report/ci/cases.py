"""The cells of a record as test cases: what each format for a build server starts from."""

from dataclasses import dataclass
from enum import StrEnum

from bench import units
from bench.judge.expectations import judge_cell, stated
from bench.records.expectations import Finding, Met
from bench.records.record import CellResult, Record, Requested
from bench.report.basics import Status
from bench.report.labels import status
from bench.suite.expectations import Expectation
from bench.wording import expectations


class Result(StrEnum):
    """How a test case ended, in the words that JUnit and pytest share."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Case:
    """One cell, what its suite expects of it, and how that makes it end as a test."""

    cell: CellResult
    name: str
    status: Status
    findings: tuple[Finding, ...]
    result: Result

    @property
    def unmet(self) -> tuple[Finding, ...]:
        """The expectations that are not met."""
        return tuple(finding for finding in self.findings if finding.met is Met.NOT_MET)

    @property
    def why(self) -> str:
        """Why it did not pass, in one line; empty where it did. May hold text from the record."""
        if self.result is Result.FAILED:
            both = ((expectations.wanted(each), expectations.found(each)) for each in self.unmet)
            return "; ".join(f"expected {wanted}, found {found}" for wanted, found in both)
        if self.result is Result.PASSED:
            return ""
        return f"{self.status.word}: {self.status.reason}" if self.status.reason else self.status.word


def cases_of(record: Record) -> tuple[Case, ...]:
    """Every cell, in the order of the record.

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
    """One cell, judged on what a suite expects."""
    findings = tuple(judge_cell(cell, wanted))
    return Case(cell, name_of(cell.requested), status(cell.outcome), findings, _result(cell, findings))


def _result(cell: CellResult, findings: tuple[Finding, ...]) -> Result:
    """Out of memory is a result: alone it passes, as a cell that ran does; what is expected decides first."""
    judged = {finding.met for finding in findings if finding.key == "fits"}
    if cell.outcome.status in {"failed", "timeout"}:
        return Result.ERROR
    if any(finding.met is Met.NOT_MET for finding in findings):
        return Result.FAILED
    if cell.outcome.status == "measured" or Met.MET in judged:
        return Result.PASSED
    return Result.PASSED if cell.outcome.status == "out_of_memory" and not judged else Result.SKIPPED
