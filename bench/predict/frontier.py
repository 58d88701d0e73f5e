"""The predicted frontier: the longest clip that fits, for each attention, max_tokens and budget of a card."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.engines.support import longest_clip_s
from bench.judge.prediction import Budgets
from bench.predict.cells import Predictions, unsupported_reason
from bench.predict.search import Bracket, Goal, Search
from bench.predict.setting import Setting, setting_of
from bench.predict.target import Target
from bench.records.base import ByteInterval
from bench.records.cell import Requested
from bench.records.prediction import LongestClip
from bench.suite.cells import Cell

EXTRA_LENGTHS: Final = 24
"""Clips that are predicted in addition to those of the suite, for attentions that allocate alike."""


@dataclass(frozen=True, slots=True)
class _Bounds:
    """The goals of one budget for one max_tokens; all are None where it was not requested.

    `likely` is None also where no typical figures are known.
    """

    fits: Goal | None = None
    likely: Goal | None = None
    misfit: Goal | None = None

    def __iter__(self) -> Iterator[Goal]:
        return filter(None, (self.fits, self.likely, self.misfit))


def longest_clips(
    cells: Sequence[Cell],
    target: Target,
    predictions: Predictions,
    max_positions: int,
    *,
    budgets: Budgets,
    context_most_bytes: int,
) -> tuple[LongestClip, ...]:
    """Return the predicted frontier; empty for a CPU, and for a plan of one clip length.

    `context_most_bytes` is the CUDA context in the upper end of each need: what likely fits has the typical
    one in place of it.
    """
    clips = sorted({cell.requested.clip_seconds for cell in cells})
    if target.card is None or target.system is None or len(clips) < 2:
        return ()
    lines = _lines(cells, target, max_positions)
    alike: dict[Setting, list[Requested]] = {}
    for requested in lines:
        alike.setdefault(setting_of(requested, target), []).append(requested)

    def needs(requested: Requested, clip_seconds: float) -> dict[int, ByteInterval]:
        envelopes = predictions.envelopes(requested.model_copy(update={"clip_seconds": clip_seconds}), target)
        peaks = {tokens: envelope.device_peak_bytes for tokens, envelope in envelopes.items()}
        return {tokens: peak for tokens, peak in peaks.items() if peak is not None}

    def bounds(tokens: int) -> tuple[_Bounds, _Bounds]:
        return (
            _bounds(tokens, budgets.headless, budgets.headless_typical_bytes, context_most_bytes),
            _bounds(tokens, budgets.desktop, budgets.desktop_typical_bytes, context_most_bytes),
        )

    found = [
        line for group in alike.values() for line in _of_group(group, clips, bounds, needs, max_positions)
    ]
    order = [(requested.attention, requested.max_tokens) for requested in lines]
    return tuple(sorted(found, key=lambda line: order.index((line.attention, line.max_tokens))))


def _lines(cells: Sequence[Cell], target: Target, max_positions: int) -> list[Requested]:
    """Return a request for each supported attention and max_tokens, with the suite's shortest clip."""
    first = {(cell.requested.attention, cell.requested.max_tokens): cell for cell in reversed(cells)}
    lines = [cell.requested for cell in reversed(first.values())]
    return [requested for requested in lines if unsupported_reason(requested, target, max_positions) is None]


def _of_group(
    group: Sequence[Requested],
    clips: Sequence[float],
    bounds_of: Callable[[int], tuple[_Bounds, _Bounds]],
    needs: Callable[[Requested, float], dict[int, ByteInterval]],
    max_positions: int,
) -> list[LongestClip]:
    """Return the lines of attentions with the same needs."""
    context = {
        requested.max_tokens: longest_clip_s(max_positions, requested.max_tokens, requested.time_markers)
        for requested in group
    }
    longest = max(context.values())
    bounds = {tokens: bounds_of(tokens) for tokens in context}
    goals = [goal for both in bounds.values() for each in both for goal in each]
    known = {int(clip): needs(group[0], clip) for clip in clips if clip == int(clip) and clip <= longest}
    found = Search(lambda clip: needs(group[0], clip), goals, longest_s=longest, known=known).run(
        EXTRA_LENGTHS
    )
    return [
        _line(requested, found, bounds[requested.max_tokens], context[requested.max_tokens])
        for requested in group
    ]


def _bounds(
    tokens: int, budget: ByteInterval | None, typical: int | None, context_most_bytes: int
) -> _Bounds:
    if budget is None:
        return _Bounds()
    return _Bounds(
        fits=Goal(tokens, "fits", budget.low),
        likely=None if typical is None else Goal(tokens, "likely", typical + context_most_bytes),
        misfit=Goal(tokens, "misfit", budget.high),
    )


def _line(
    requested: Requested,
    found: Mapping[Goal, Bracket],
    bounds: tuple[_Bounds, _Bounds],
    context_s: int,
) -> LongestClip:
    def below(goal: Goal | None) -> float | None:
        length = None if goal is None else found[goal].below
        return None if length is None else float(min(length, context_s))

    def above(goal: Goal | None) -> float | None:
        length = None if goal is None else found[goal].above
        return None if length is None or length > context_s else float(length)

    headless, desktop = bounds
    return LongestClip(
        attention=requested.attention,
        max_tokens=requested.max_tokens,
        headless_fits_s=below(headless.fits),
        headless_likely_fits_s=below(headless.likely),
        headless_misfit_s=above(headless.misfit),
        desktop_fits_s=below(desktop.fits),
        desktop_likely_fits_s=below(desktop.likely),
        desktop_misfit_s=above(desktop.misfit),
        context_s=float(context_s),
    )
