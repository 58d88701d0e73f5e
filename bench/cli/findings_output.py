"""Findings of the validator as lines, and the exit code that they give."""

from collections.abc import Iterator

from bench.errors import ExitCode
from bench.records.findings import RecordFindings, Severity
from bench.wording.findings import SEVERITIES


def finding_lines(found: RecordFindings) -> Iterator[str]:
    """Yield a line with the counts, then two lines for each finding."""
    if found.refusal is not None:
        yield f"{found.file}: no record: {found.refusal}"
        return
    counts = [
        f"{count} {SEVERITIES[severity][count > 1]}"
        for severity in Severity
        if (count := found.count(severity))
    ]
    yield f"{found.file}: {', '.join(counts) or 'no findings'}"
    for finding in found.findings:
        yield f"  {finding.severity.value}: {finding.sentence} [{finding.code}]"
        yield f"    {finding.path}. {finding.remedy}"


def findings_exit_code(found: RecordFindings) -> ExitCode:
    """Return the exit code of one file: no record, errors, or done."""
    if found.refusal is not None:
        return ExitCode.USAGE
    return ExitCode.GATE if found.count(Severity.ERROR) else ExitCode.DONE
