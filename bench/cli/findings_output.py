"""Findings of the validator as lines, and the exit code that they give."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from bench.errors import ExitCode
from bench.records.findings import RecordFindings, Severity
from bench.wording.findings import SEVERITIES


class Shown(Protocol):
    """A finding, of this bench or of a site."""

    @property
    def code(self) -> str:
        """Return the code."""

    @property
    def severity(self) -> Severity:
        """Return the severity."""

    @property
    def path(self) -> str:
        """Return the JSON path."""

    @property
    def sentence(self) -> str:
        """Return the finding in words."""

    @property
    def remedy(self) -> str:
        """Return what would clear it."""


def finding_lines(found: RecordFindings) -> Iterator[str]:
    """Yield a line with the counts, then two lines for each finding."""
    if found.refusal is not None:
        yield f"{found.file}: no record: {found.refusal}"
        return
    yield from lines_about(found.file, found.findings)


def lines_about(name: str, findings: Sequence[Shown]) -> Iterator[str]:
    """Yield a line with the counts after a name, then two lines for each finding."""
    counts = [
        f"{count} {SEVERITIES[severity][count > 1]}"
        for severity in Severity
        if (count := sum(finding.severity is severity for finding in findings))
    ]
    yield f"{name}: {', '.join(counts) or 'no findings'}"
    for finding in findings:
        yield f"  {finding.severity.value}: {finding.sentence} [{finding.code}]"
        yield f"    {finding.path}. {finding.remedy}"


def findings_exit_code(found: RecordFindings) -> ExitCode:
    """Return the exit code of one file: no record, errors, or done."""
    if found.refusal is not None:
        return ExitCode.USAGE
    return ExitCode.GATE if found.count(Severity.ERROR) else ExitCode.DONE
