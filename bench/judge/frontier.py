"""The frontier: the longest clip that fits, for each attention and number of new tokens."""

from collections.abc import Iterable
from dataclasses import dataclass

from bench.records.schema import CellResult, OutOfMemory, Skipped
from bench.records.words import Attention


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """Where the line between "fits" and "does not fit" lies, in clip seconds.

    `smallest_misfit_is_inferred`: that clip was not tried, because a smaller cell had run out of memory.
    """

    attention: Attention
    max_tokens: int
    longest_fit_s: float | None
    smallest_misfit_s: float | None
    smallest_misfit_is_inferred: bool = False


def frontier(cells: Iterable[CellResult]) -> tuple[FrontierPoint, ...]:
    """One point for each attention and max_tokens of the cells, in that order."""
    lines: dict[tuple[Attention, int], list[CellResult]] = {}
    for cell in cells:
        lines.setdefault((cell.requested.attention, cell.requested.max_tokens), []).append(cell)
    order = list(Attention)
    keys = sorted(lines, key=lambda key: (order.index(key[0]), key[1]))
    return tuple(_point(*key, lines[key]) for key in keys)


def is_misfit(cell: CellResult) -> bool:
    """It ran out of memory, or needs more than a cell that did."""
    return isinstance(cell.outcome, OutOfMemory) or is_pruned(cell)


def is_pruned(cell: CellResult) -> bool:
    """Not run, because a smaller cell ran out of memory."""
    return isinstance(cell.outcome, Skipped) and cell.outcome.cause == "pruned"


def _point(attention: Attention, max_tokens: int, cells: list[CellResult]) -> FrontierPoint:
    fits = [cell.requested.clip_seconds for cell in cells if cell.outcome.status == "measured"]
    misfits = sorted((cell.requested.clip_seconds, is_pruned(cell)) for cell in cells if is_misfit(cell))
    smallest, inferred = misfits[0] if misfits else (None, False)
    return FrontierPoint(attention, max_tokens, max(fits, default=None), smallest, inferred)
