"""The predicted frontier: the longest clip that fits, for each attention, max_tokens and budget of a card."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bench.engines.support import longest_clip_s
from bench.hardware.budget import BudgetKind, budgets
from bench.predict.cells import Predictions, unsupported_reason
from bench.predict.search import Bracket, Goal, Search
from bench.predict.setting import Setting, setting_of
from bench.predict.target import Target
from bench.records.base import ByteInterval
from bench.records.prediction import LongestClip
from bench.records.record import Requested
from bench.suite.cells import Cell

EXTRA_LENGTHS: Final = 8
"""Clips that are predicted in addition to those of the suite, for attentions that allocate alike."""


def longest_clips(
    cells: Sequence[Cell],
    target: Target,
    predictions: Predictions,
    max_positions: int,
    budget: BudgetKind | None,
) -> tuple[LongestClip, ...]:
    """Return the predicted frontier; empty for a CPU, and for a plan of one clip length."""
    clips = sorted({cell.requested.clip_seconds for cell in cells})
    if target.card is None or target.system is None or len(clips) < 2:
        return ()
    every = budgets(target.card, target.system.os)
    asked = {kind: there for kind, there in every.items() if budget in {None, kind}}
    lines = _lines(cells, target, max_positions)
    alike: dict[Setting, list[Requested]] = {}
    for requested in lines:
        alike.setdefault(setting_of(requested, target), []).append(requested)

    def needs(requested: Requested, clip_seconds: float) -> dict[int, ByteInterval]:
        envelopes = predictions.envelopes(requested.model_copy(update={"clip_seconds": clip_seconds}), target)
        peaks = {tokens: envelope.device_peak_bytes for tokens, envelope in envelopes.items()}
        return {tokens: peak for tokens, peak in peaks.items() if peak is not None}

    found = [
        line for group in alike.values() for line in _of_group(group, clips, asked, needs, max_positions)
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
    budgets: Mapping[BudgetKind, ByteInterval],
    needs: Callable[[Requested, float], dict[int, ByteInterval]],
    max_positions: int,
) -> list[LongestClip]:
    """Return the lines of attentions with the same needs."""
    context = {
        requested.max_tokens: longest_clip_s(max_positions, requested.max_tokens, requested.time_markers)
        for requested in group
    }
    longest = max(context.values())
    goals = [
        goal
        for tokens in context
        for budget in budgets.values()
        for goal in (Goal(tokens, "fits", budget.low), Goal(tokens, "misfit", budget.high))
    ]
    known = {int(clip): needs(group[0], clip) for clip in clips if clip == int(clip) and clip <= longest}
    found = Search(lambda clip: needs(group[0], clip), goals, longest_s=longest, known=known).run(
        EXTRA_LENGTHS
    )
    return [_line(requested, found, budgets, context[requested.max_tokens]) for requested in group]


def _line(
    requested: Requested,
    found: Mapping[Goal, Bracket],
    budgets: Mapping[BudgetKind, ByteInterval],
    context_s: int,
) -> LongestClip:
    def fits(kind: BudgetKind) -> float | None:
        if kind not in budgets:
            return None
        below = found[Goal(requested.max_tokens, "fits", budgets[kind].low)].below
        return None if below is None else float(min(below, context_s))

    def misfit(kind: BudgetKind) -> float | None:
        if kind not in budgets:
            return None
        above = found[Goal(requested.max_tokens, "misfit", budgets[kind].high)].above
        return None if above is None or above > context_s else float(above)

    return LongestClip(
        attention=requested.attention,
        max_tokens=requested.max_tokens,
        headless_fits_s=fits("headless"),
        headless_misfit_s=misfit("headless"),
        desktop_fits_s=fits("desktop"),
        desktop_misfit_s=misfit("desktop"),
        context_s=float(context_s),
    )
