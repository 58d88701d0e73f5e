"""The frontier: the longest clip that fits, for each attention and number of new tokens. Pure."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, Self

from bench.judge.memory import CardMemory, fits_with_desktop, has_spilled, ran_out_beside_another
from bench.judge.prediction import Budgets, cell_fit, is_derived, lines
from bench.judge.same_run import varying, words_of
from bench.judge.same_system import CellSystems
from bench.records.check import FrontierLine
from bench.records.enums import Attention, AttentionKernel, Fit, Status
from bench.records.prediction import LongestClip
from bench.records.reasons import CellShape
from bench.records.record import CellResult, OutOfMemory, Record, Requested, Skipped


def frontier(record: Record, memory: CardMemory, budgets: Budgets) -> tuple[FrontierLine, ...]:
    """One line for each attention, max_tokens and variant of the cells, in that order.

    Of a run: what ran, held against `memory` with a desktop. Of a derived record: the line that the
    prediction followed to the second, where it has one and its cells differ in nothing else; otherwise the
    line through the cells, each held against `budgets`.
    """
    systems = CellSystems.of(record)
    names = varying(map(systems.settings, record.cells))
    if is_derived(record) and not names and lines(record):
        return tuple(_drawn(line, record, systems) for line in sorted(lines(record), key=_place))
    groups: dict[tuple[tuple[int, int], tuple[str, ...]], list[CellResult]] = {}
    for cell in record.cells:
        groups.setdefault((_place(cell.requested), systems.settings(cell)), []).append(cell)
    ordered = sorted(groups, key=lambda key: (key[0][0], key[1], key[0][1]))
    alike = (_Alike(groups[key], key[1], words_of(key[1], names), systems) for key in ordered)
    if is_derived(record):
        return tuple(_predicted(line, record, budgets) for line in alike)
    return tuple(_ran(line, record, memory) for line in alike)


class _Alike(NamedTuple):
    """The cells of one line, their settings, and those of them that name the line."""

    cells: Sequence[CellResult]
    settings: tuple[str, ...]
    variant: tuple[str, ...]
    systems: CellSystems

    @property
    def kernel(self) -> AttentionKernel | None:
        return next(filter(None, map(self.systems.kernel, self.cells)), None)


def _place(line: Requested | LongestClip) -> tuple[int, int]:
    return list(Attention).index(line.attention), line.max_tokens


def size(cell: CellResult) -> tuple[float, int]:
    """Sort key of a cell by size: its clip in seconds, then its new tokens."""
    return cell.requested.clip_seconds, cell.requested.max_tokens


def shape_of(cell: CellResult) -> CellShape:
    """The size of a cell, as reasons state it."""
    return CellShape(clip_seconds=cell.requested.clip_seconds, max_tokens=cell.requested.max_tokens)


def is_misfit(cell: CellResult) -> bool:
    """Whether the cell ran out of memory by itself, was pruned, or ran from system memory."""
    ran_out = isinstance(cell.outcome, OutOfMemory) and not ran_out_beside_another(cell)
    return ran_out or is_pruned(cell) or has_spilled(cell)


def is_pruned(cell: CellResult) -> bool:
    """Whether the cell was not run because a smaller one ran out of memory."""
    return isinstance(cell.outcome, Skipped) and cell.outcome.cause == "pruned"


class Undecided(NamedTuple):
    """A clip from which on nothing is known, and how it ended. None: there is no such clip."""

    clip_s: float | None
    status: Literal["failed", "timeout"] | None


def undecided(ends: Iterable[tuple[float, Status]], longest_fit_s: float | None) -> Undecided:
    """The shortest clip that failed or timed out and is longer than the longest that fits."""
    above_s = longest_fit_s or 0.0
    clips: list[tuple[float, Literal["failed", "timeout"]]] = [
        (clip_s, status) for clip_s, status in ends if clip_s > above_s if status in {"failed", "timeout"}
    ]
    return Undecided(*min(clips, default=(None, None)))


def _machines(record: Record) -> int | None:
    return None if record.machine_key is None else 1


def _ran(line: _Alike, record: Record, memory: CardMemory) -> FrontierLine:
    cells = line.cells
    fits = [cell for cell in cells if cell.outcome.status == "measured" and not has_spilled(cell)]
    misfits = sorted((cell.requested.clip_seconds, is_pruned(cell)) for cell in cells if is_misfit(cell))
    smallest, inferred = misfits[0] if misfits else (None, False)
    with_desktop = [
        (cell.requested.clip_seconds, fits_with_desktop(cell, memory, record.emulation)) for cell in fits
    ]
    longest_s = max((cell.requested.clip_seconds for cell in fits), default=None)
    open_end = undecided(((cell.requested.clip_seconds, cell.outcome.status) for cell in cells), longest_s)
    return FrontierLine(
        provenance=record.provenance,
        machines=_machines(record),
        weight_mode=record.model.weight_mode,
        attention=cells[0].requested.attention,
        max_tokens=cells[0].requested.max_tokens,
        variant=line.variant,
        settings=line.settings,
        attention_kernel=line.kernel,
        undecided_s=open_end.clip_s,
        undecided_status=open_end.status,
        longest_fit_s=longest_s,
        smallest_misfit_s=smallest,
        smallest_misfit_is_inferred=inferred,
        longest_fit_with_desktop_s=max((clip_s for clip_s, fit in with_desktop if fit), default=None),
        desktop_is_known=any(fit is not None for _, fit in with_desktop),
    )


def _drawn(line: LongestClip, record: Record, systems: CellSystems) -> FrontierLine:
    """A line that the prediction followed to the second."""
    cells = [cell for cell in record.cells if cell.requested.attention is line.attention]
    kernels = filter(None, map(systems.kernel, cells))
    headroom = None if record.derivation is None else record.derivation.headroom
    return FrontierLine(
        provenance=record.provenance,
        machines=_machines(record),
        weight_mode=record.model.weight_mode,
        attention=line.attention,
        max_tokens=line.max_tokens,
        settings=systems.settings(record.cells[0]) if record.cells else (),
        attention_kernel=next(kernels, None),
        longest_fit_s=line.headless_fits_s,
        smallest_misfit_s=line.headless_misfit_s,
        longest_fit_with_desktop_s=line.desktop_fits_s,
        smallest_misfit_with_desktop_s=line.desktop_misfit_s,
        headless_is_known=headroom != "desktop",
        desktop_is_known=headroom != "headless",
        context_s=line.context_s,
    )


def _predicted(line: _Alike, record: Record, budgets: Budgets) -> FrontierLine:
    """A line through the predicted cells, where nothing was predicted between them."""
    cells = line.cells
    found = [(cell.requested.clip_seconds, cell_fit(cell, budgets)) for cell in cells]
    headless = _Ends.of((clip_s, fit.headless) for clip_s, fit in found)
    desktop = _Ends.of((clip_s, fit.desktop) for clip_s, fit in found)
    return FrontierLine(
        provenance=record.provenance,
        machines=_machines(record),
        weight_mode=record.model.weight_mode,
        attention=cells[0].requested.attention,
        max_tokens=cells[0].requested.max_tokens,
        variant=line.variant,
        settings=line.settings,
        attention_kernel=line.kernel,
        longest_fit_s=headless.fits_s,
        smallest_misfit_s=headless.misfit_s,
        longest_fit_with_desktop_s=desktop.fits_s,
        smallest_misfit_with_desktop_s=desktop.misfit_s,
        headless_is_known=headless.is_known,
        desktop_is_known=desktop.is_known,
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
