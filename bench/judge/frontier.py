"""The frontier: the longest clip that fits, for each attention and number of new tokens."""

from collections.abc import Iterable
from dataclasses import dataclass

from bench.judge.contention import ran_out_beside_another
from bench.judge.memory import fits_with_desktop, has_spilled
from bench.judge.variants import settings_of, varying, words_of
from bench.records.schema import CellResult, OutOfMemory, Record, Skipped
from bench.records.words import Attention


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """Where the line between "fits" and "does not fit" lies, in clip seconds.

    `smallest_misfit_is_inferred`: that clip was not tried, because a smaller cell had run out of memory.
    `longest_fit_with_desktop_s`: the same beside a desktop, of the clips that ran; None means that none does
    where `desktop_is_known`, else that nothing tells. `variant`: the other settings, where
    cells differ in them.
    """

    attention: Attention
    max_tokens: int
    longest_fit_s: float | None
    smallest_misfit_s: float | None
    smallest_misfit_is_inferred: bool = False
    longest_fit_with_desktop_s: float | None = None
    desktop_is_known: bool = False
    variant: tuple[str, ...] = ()


def frontier(cells: Iterable[CellResult], record: Record | None = None) -> tuple[FrontierPoint, ...]:
    """One point for each attention, max_tokens and variant of the cells, in that order.

    `record` tells the budget of the card; without it nothing is known of a desktop.
    """
    cells = tuple(cells)
    names = varying(cell.requested for cell in cells)
    lines: dict[tuple[int, tuple[str, ...], int], list[CellResult]] = {}
    order = list(Attention)
    for cell in cells:
        wanted = cell.requested
        key = (order.index(wanted.attention), settings_of(wanted), wanted.max_tokens)
        lines.setdefault(key, []).append(cell)
    return tuple(
        _point(lines[key], words_of(lines[key][0].requested, names), record) for key in sorted(lines)
    )


def is_misfit(cell: CellResult) -> bool:
    """It ran out of memory by itself, needs more than a cell that did, or ran from system memory."""
    ran_out = isinstance(cell.outcome, OutOfMemory) and not ran_out_beside_another(cell)
    return ran_out or is_pruned(cell) or has_spilled(cell)


def is_pruned(cell: CellResult) -> bool:
    """Not run, because a smaller cell ran out of memory."""
    return isinstance(cell.outcome, Skipped) and cell.outcome.cause == "pruned"


def _point(cells: list[CellResult], variant: tuple[str, ...], record: Record | None) -> FrontierPoint:
    fits = [cell for cell in cells if cell.outcome.status == "measured" and not has_spilled(cell)]
    misfits = sorted((cell.requested.clip_seconds, is_pruned(cell)) for cell in cells if is_misfit(cell))
    smallest, inferred = misfits[0] if misfits else (None, False)
    beside = [(cell.requested.clip_seconds, fits_with_desktop(cell, record)) for cell in fits if record]
    return FrontierPoint(
        attention=cells[0].requested.attention,
        max_tokens=cells[0].requested.max_tokens,
        longest_fit_s=max((cell.requested.clip_seconds for cell in fits), default=None),
        smallest_misfit_s=smallest,
        smallest_misfit_is_inferred=inferred,
        longest_fit_with_desktop_s=max((clip_s for clip_s, fit in beside if fit), default=None),
        desktop_is_known=any(fit is not None for _, fit in beside),
        variant=variant,
    )
