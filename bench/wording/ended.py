"""How a cell ended, in one line."""

from collections.abc import Iterator

from bench import units
from bench.records.record import Failed, Measured, Outcome, OutOfMemory, Predicted, Timeout
from bench.text import clean


def ended(outcome: Outcome) -> str:
    """The reason of an outcome, with the phase and the sizes it knows; empty of a cell that has figures."""
    return "; ".join(_parts(outcome))


def _parts(outcome: Outcome) -> Iterator[str]:
    if isinstance(outcome, Measured | Predicted):
        return
    yield clean(outcome.reason)
    if isinstance(outcome, OutOfMemory | Failed | Timeout) and outcome.phase is not None:
        yield f"during {outcome.phase.value}"
    if isinstance(outcome, OutOfMemory) and outcome.requested_bytes is not None:
        free = f", {units.gib(outcome.free_bytes)} were free" if outcome.free_bytes is not None else ""
        yield f"{units.gib(outcome.requested_bytes)} asked for{free}"
    if isinstance(outcome, OutOfMemory) and outcome.reserved_bytes is not None:
        yield f"the allocator held {units.gib(outcome.reserved_bytes)}"
    if isinstance(outcome, Timeout):
        yield f"limit {units.seconds(outcome.limit_s)}"
