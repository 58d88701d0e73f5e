"""English of an expectation of a suite, and of its finding."""

from bench import units
from bench.records.cell import OutOfMemory, Skipped
from bench.records.expectations import Finding, FoundEnd
from bench.records.metrics import METRICS
from bench.wording.outcomes import reason_of


def wanted(finding: Finding) -> str:
    """`fits`, `does not fit`, `decode_tokens_per_s >= 20`."""
    if isinstance(finding.wanted, bool):
        return "fits" if finding.wanted else "does not fit"
    return f"{finding.key} {finding.wanted.sign} {_quantity(finding.key, finding.wanted.limit)}"


def found(finding: Finding) -> str:
    """`ran`, `46.6 (noisy)`, `out of memory: ...`, which may contain text from a record."""
    if isinstance(finding.found, FoundEnd):
        return _end(finding.found)
    if finding.found.value is None:
        return "not available"
    labels = f" ({', '.join(finding.found.labels)})" if finding.found.labels else ""
    return _quantity(finding.key, finding.found.value) + labels


def _end(end: FoundEnd) -> str:
    outcome = end.outcome
    if end.contended:
        return "ran out of memory while another program computed on the card"
    if end.spilled:
        return "ran with part of it in system memory"
    if outcome.status == "measured":
        return "ran"
    pruned = isinstance(outcome, Skipped) and outcome.cause == "pruned"
    word = "not run" if pruned else outcome.status.replace("_", " ")
    reason = reason_of(outcome)
    return f"{word}: {reason}" if reason or pruned or isinstance(outcome, OutOfMemory) else word


def _quantity(metric: str, value: float) -> str:
    """A size in both units; of all else the number, exact enough to show why a bound holds or not."""
    if METRICS[metric].unit is units.Unit.BYTES:
        return units.both_units(int(value))
    return f"{value:.6g}" if abs(value) < 999_999 else f"{value:,.0f}"
