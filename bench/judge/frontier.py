"""The frontier: the longest clip that fits, for each attention and number of new tokens."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from bench.judge.memory import fits_with_desktop, has_spilled, ran_out_beside_another
from bench.judge.prediction import cell_fit, is_derived, lines
from bench.judge.variants import settings_of, varying, words_of
from bench.records.enums import Attention, Fit
from bench.records.prediction import LongestClip
from bench.records.record import CellResult, OutOfMemory, Record, Requested, Skipped


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """Where the line between "fits" and "does not fit" lies, in clip seconds.

    `smallest_misfit_is_inferred`: that clip was not tried, because a smaller cell had run out of memory.
    `longest_fit_with_desktop_s`: the same beside a desktop, of the clips that ran; None means that none does
    where `desktop_is_known`, else that nothing tells. `variant`: the other settings, where
    cells differ in them.

    `is_predicted`: nothing ran; what lies between a fit and a misfit is too close to call, and a misfit of
    None means that nothing is sure not to fit. Then `smallest_misfit_with_desktop_s` is known too,
    `headless_is_known` is false where only a desktop was asked for, and `context_s` is the longest clip that
    the model's context holds; it is None where the line is drawn through the cells alone, else the line is
    exact to the second. `settings` are all of the cells' settings, whether they differ or not.
    """

    attention: Attention
    max_tokens: int
    longest_fit_s: float | None
    smallest_misfit_s: float | None
    smallest_misfit_is_inferred: bool = False
    longest_fit_with_desktop_s: float | None = None
    desktop_is_known: bool = False
    variant: tuple[str, ...] = ()
    is_predicted: bool = False
    smallest_misfit_with_desktop_s: float | None = None
    headless_is_known: bool = True
    context_s: float | None = None
    settings: tuple[str, ...] = field(default=(), compare=False)


def frontier(cells: Iterable[CellResult], record: Record | None = None) -> tuple[FrontierPoint, ...]:
    """One point for each attention, max_tokens and variant of the cells, in that order.

    `record` tells the budget of the card; without it nothing is known of a desktop. Of a derived record it
    is the predicted line to the second, where it has one and its cells differ in nothing else.
    """
    cells = tuple(cells)
    names = varying(settings_of(cell.requested) for cell in cells)
    if record is not None and is_derived(record) and not names and lines(record):
        return tuple(_drawn(line, record) for line in sorted(lines(record), key=_place))
    point = _point if record is None or not is_derived(record) else _predicted_point
    groups: dict[tuple[tuple[int, int], tuple[str, ...]], list[CellResult]] = {}
    for cell in cells:
        groups.setdefault((_place(cell.requested), settings_of(cell.requested)), []).append(cell)
    ordered = sorted(groups, key=lambda key: (key[0][0], key[1], key[0][1]))
    return tuple(point(groups[key], words_of(key[1], names), record) for key in ordered)


def _place(line: Requested | LongestClip) -> tuple[int, int]:
    return list(Attention).index(line.attention), line.max_tokens


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
        settings=settings_of(cells[0].requested),
    )


def _drawn(line: LongestClip, record: Record) -> FrontierPoint:
    """A line that the prediction followed to the second."""
    headroom = None if record.derivation is None else record.derivation.headroom
    return FrontierPoint(
        attention=line.attention,
        max_tokens=line.max_tokens,
        longest_fit_s=line.headless_fits_s,
        smallest_misfit_s=line.headless_misfit_s,
        longest_fit_with_desktop_s=line.desktop_fits_s,
        smallest_misfit_with_desktop_s=line.desktop_misfit_s,
        headless_is_known=headroom != "desktop",
        desktop_is_known=headroom != "headless",
        is_predicted=True,
        context_s=line.context_s,
        settings=settings_of(record.cells[0].requested) if record.cells else (),
    )


def _predicted_point(
    cells: list[CellResult], variant: tuple[str, ...], record: Record | None
) -> FrontierPoint:
    """A line through the predicted cells, where nothing was predicted between them."""
    found = [(cell.requested.clip_seconds, cell_fit(cell, record)) for cell in cells if record is not None]
    headless = _Ends.of((clip_s, fit.headless) for clip_s, fit in found)
    desktop = _Ends.of((clip_s, fit.desktop) for clip_s, fit in found)
    return FrontierPoint(
        attention=cells[0].requested.attention,
        max_tokens=cells[0].requested.max_tokens,
        longest_fit_s=headless.fits_s,
        smallest_misfit_s=headless.misfit_s,
        longest_fit_with_desktop_s=desktop.fits_s,
        smallest_misfit_with_desktop_s=desktop.misfit_s,
        headless_is_known=headless.is_known,
        desktop_is_known=desktop.is_known,
        is_predicted=True,
        variant=variant,
        settings=settings_of(cells[0].requested),
    )


class _Ends(NamedTuple):
    fits_s: float | None
    misfit_s: float | None
    is_known: bool

    @classmethod
    def of(cls, clips: Iterable[tuple[float, Fit | None]]) -> Self:
        known = [(clip_s, fit) for clip_s, fit in clips if fit is not None]
        return cls(
            fits_s=max((clip_s for clip_s, fit in known if fit is Fit.FITS), default=None),
            misfit_s=min((clip_s for clip_s, fit in known if fit is Fit.DOES_NOT_FIT), default=None),
            is_known=bool(known),
        )
