"""The frontier: the longest clip that fits, for each attention and number of new tokens. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from bench.judge.memory import CardMemory, fits_with_desktop, has_spilled, ran_out_while_contended
from bench.judge.prediction import Budgets, cell_fit, is_derived, lines
from bench.judge.same_run import settings_of, varying, words_of
from bench.judge.same_system import CellSystems
from bench.records.cell import CellResult, OutOfMemory, Requested, Skipped
from bench.records.check import FrontierLine, PredictedLengths
from bench.records.enums import Attention, AttentionKernel, Fit, Status
from bench.records.prediction import LongestClip
from bench.records.reasons import CellShape
from bench.records.record import Record


def frontier(record: Record, memory: CardMemory, budgets: Budgets) -> tuple[FrontierLine, ...]:
    """One line for each attention, max_tokens and variant of the cells, in that order.

    Of a run: what ran, compared with `memory` with a desktop. Of a derived record: the line that the
    prediction followed to the second, where it has one and its cells differ in nothing else; otherwise the
    line through the cells, each compared with `budgets`.
    """
    systems = CellSystems.of(record)
    names = varying(map(systems.settings, record.cells))
    if is_derived(record) and not names and lines(record):
        drawn = [_drawn(line, record, budgets, systems) for line in sorted(lines(record), key=_place)]
        return _with_their_variant((*drawn, *_of_other_ways(record)))
    groups: dict[tuple[tuple[int, int], tuple[str, ...]], list[CellResult]] = {}
    for cell in record.cells:
        groups.setdefault((_place(cell.requested), systems.settings(cell)), []).append(cell)
    ordered = sorted(groups, key=lambda key: (key[0][0], key[1], key[0][1]))
    alike = (_LineGroup(groups[key], key[1], words_of(key[1], names), systems) for key in ordered)
    if is_derived(record):
        return tuple(_predicted(line, record, budgets) for line in alike)
    return tuple(_ran(line, record, memory) for line in alike)


class _LineGroup(NamedTuple):
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
    ran_out = isinstance(cell.outcome, OutOfMemory) and not ran_out_while_contended(cell)
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


def _ran(line: _LineGroup, record: Record, memory: CardMemory) -> FrontierLine:
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


def _drawn(line: LongestClip, record: Record, budgets: Budgets, systems: CellSystems) -> FrontierLine:
    """A line that the prediction followed to the second."""
    cells = [cell for cell in record.cells if cell.requested.attention is line.attention]
    known = budgets.headless_typical_bytes is not None, budgets.desktop_typical_bytes is not None
    headroom = None if record.derivation is None else record.derivation.headroom
    return _to_the_second(record, line, headroom, likely_is_known=known).model_copy(
        update={
            "settings": systems.settings(record.cells[0]) if record.cells else (),
            "attention_kernel": next(filter(None, map(systems.kernel, cells)), None),
        }
    )


def _of_other_ways(record: Record) -> Iterator[FrontierLine]:
    """The lines of the other profiles and systems that the record contains."""
    if record.derivation is None or not record.cells:
        return
    for way in record.derivation.other_ways:
        requested = record.cells[0].requested.model_copy(update={"profile": way.profile})
        line = _to_the_second(record, way.lengths, way.headroom, likely_is_known=(True, True))
        yield line.model_copy(
            update={
                "settings": settings_of(requested, system=way.system),
                "attention_kernel": way.attention_kernel,
            }
        )


def _to_the_second(
    record: Record,
    line: LongestClip,
    headroom: Literal["headless", "desktop"] | None,
    *,
    likely_is_known: tuple[bool, bool],
) -> FrontierLine:
    """A predicted line without settings; `headroom`: the only budget."""
    headless = PredictedLengths(
        fits_s=line.headless_fits_s,
        likely_fits_s=line.headless_likely_fits_s,
        misfit_s=line.headless_misfit_s,
        likely_is_known=likely_is_known[0],
    )
    desktop = PredictedLengths(
        fits_s=line.desktop_fits_s,
        likely_fits_s=line.desktop_likely_fits_s,
        misfit_s=line.desktop_misfit_s,
        likely_is_known=likely_is_known[1],
    )
    return _of_prediction(
        record,
        line,
        None if headroom == "desktop" else headless,
        None if headroom == "headless" else desktop,
    ).model_copy(update={"context_s": line.context_s})


def _with_their_variant(found: Sequence[FrontierLine]) -> tuple[FrontierLine, ...]:
    """Lines that are named by the settings in which they differ."""
    names = varying(line.settings for line in found)
    return tuple(
        line.model_copy(update={"variant": words_of(line.settings, names)}) if names else line
        for line in found
    )


def _predicted(line: _LineGroup, record: Record, budgets: Budgets) -> FrontierLine:
    """A line through the predicted cells, where nothing was predicted between them."""
    found = [(cell.requested.clip_seconds, cell_fit(cell, budgets)) for cell in line.cells]
    headless = _lengths((clip_s, fit.headless, fit.headless_likely) for clip_s, fit in found)
    desktop = _lengths((clip_s, fit.desktop, fit.desktop_likely) for clip_s, fit in found)
    return _of_prediction(record, line.cells[0].requested, headless, desktop).model_copy(
        update={"variant": line.variant, "settings": line.settings, "attention_kernel": line.kernel}
    )


def _of_prediction(
    record: Record,
    place: Requested | LongestClip,
    headless: PredictedLengths | None,
    desktop: PredictedLengths | None,
) -> FrontierLine:
    return FrontierLine(
        provenance=record.provenance,
        machines=_machines(record),
        weight_mode=record.model.weight_mode,
        attention=place.attention,
        max_tokens=place.max_tokens,
        settings=(),
        longest_fit_s=None if headless is None else headless.fits_s,
        smallest_misfit_s=None if headless is None else headless.misfit_s,
        longest_fit_with_desktop_s=None if desktop is None else desktop.fits_s,
        smallest_misfit_with_desktop_s=None if desktop is None else desktop.misfit_s,
        headless_is_known=headless is not None,
        desktop_is_known=desktop is not None,
        predicted_headless=headless,
        predicted_desktop=desktop,
    )


def _lengths(clips: Iterable[tuple[float, Fit | None, bool | None]]) -> PredictedLengths | None:
    """The lengths of one budget; None where it is not known for any clip."""
    known = [(clip_s, fit, likely) for clip_s, fit, likely in clips if fit is not None]
    if not known:
        return None
    return PredictedLengths(
        fits_s=max((clip_s for clip_s, fit, _ in known if fit is Fit.FITS), default=None),
        likely_fits_s=max((clip_s for clip_s, _, likely in known if likely), default=None),
        misfit_s=min((clip_s for clip_s, fit, _ in known if fit is Fit.DOES_NOT_FIT), default=None),
        likely_is_known=any(likely is not None for _, _, likely in known),
    )
