"""The longest clip that fits, for each attention and max_tokens of a plan and each room of a card."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from bench.engines.support import longest_clip_s
from bench.hardware.budget import desktop_budget, headless_budget
from bench.hardware.catalog import Card
from bench.predict.cells import Predictions, unsupported_reason
from bench.predict.search import Bracket, Goal, Search
from bench.predict.target import Target
from bench.predict.traced_model import setting_of
from bench.predict.tracing.tracer import Setting
from bench.records.base import Interval
from bench.records.prediction import LongestClip
from bench.records.record import Requested
from bench.suite.cells import Cell

EXTRA_LENGTHS: Final = 8
"""How many clips are predicted beside those of the suite, for attentions that allocate alike."""

Room = Literal["headless", "desktop"]


def longest_clips(
    cells: Sequence[Cell], target: Target, predictions: Predictions, max_positions: int, headroom: Room | None
) -> tuple[LongestClip, ...]:
    """The predicted frontier; empty for a CPU, and for a plan of one clip length, which asks for none."""
    clips = sorted({cell.requested.clip_seconds for cell in cells})
    if target.card is None or len(clips) < 2:
        return ()
    rooms = _rooms(target.card, headroom)
    lines = _lines(cells, target, max_positions)
    alike: dict[Setting, list[Requested]] = {}
    for asked in lines:
        alike.setdefault(setting_of(asked, "cuda"), []).append(asked)

    def needs(asked: Requested, clip_seconds: float) -> dict[int, Interval]:
        envelopes = predictions.envelopes(asked.model_copy(update={"clip_seconds": clip_seconds}), target)
        peaks = {tokens: envelope.device_peak_bytes for tokens, envelope in envelopes.items()}
        return {tokens: peak for tokens, peak in peaks.items() if peak is not None}

    found = [
        line for group in alike.values() for line in _of_group(group, clips, rooms, needs, max_positions)
    ]
    order = [(asked.attention, asked.max_tokens) for asked in lines]
    return tuple(sorted(found, key=lambda line: order.index((line.attention, line.max_tokens))))


def _rooms(card: Card, headroom: Room | None) -> Mapping[Room, Interval]:
    """Those that are asked for."""
    every: dict[Room, Interval] = {"headless": headless_budget(card), "desktop": desktop_budget(card)}
    return every if headroom is None else {headroom: every[headroom]}


def _lines(cells: Sequence[Cell], target: Target, max_positions: int) -> list[Requested]:
    """One request for each attention and max_tokens that can run at all, with the suite's shortest clip."""
    first = {(cell.requested.attention, cell.requested.max_tokens): cell for cell in reversed(cells)}
    lines = [cell.requested for cell in reversed(first.values())]
    return [asked for asked in lines if unsupported_reason(asked, target, max_positions) is None]


def _of_group(
    group: Sequence[Requested],
    clips: Sequence[float],
    rooms: Mapping[Room, Interval],
    needs: Callable[[Requested, float], dict[int, Interval]],
    max_positions: int,
) -> list[LongestClip]:
    """Lines whose needs are the same, whatever their attention is called."""
    context = {
        asked.max_tokens: longest_clip_s(max_positions, asked.max_tokens, asked.time_markers)
        for asked in group
    }
    longest = max(context.values())
    goals = [
        goal
        for tokens in context
        for room in rooms.values()
        for goal in (Goal(tokens, "fits", room.low), Goal(tokens, "misfit", room.high))
    ]
    known = {int(clip): needs(group[0], clip) for clip in clips if clip == int(clip) and clip <= longest}
    found = Search(lambda clip: needs(group[0], clip), goals, longest_s=longest, known=known).run(
        EXTRA_LENGTHS
    )
    return [_line(asked, found, rooms, context[asked.max_tokens]) for asked in group]


def _line(
    asked: Requested, found: Mapping[Goal, Bracket], rooms: Mapping[Room, Interval], context_s: int
) -> LongestClip:
    def fits(room: Room) -> float | None:
        if room not in rooms:
            return None
        below = found[Goal(asked.max_tokens, "fits", rooms[room].low)].below
        return None if below is None else float(min(below, context_s))

    def misfit(room: Room) -> float | None:
        if room not in rooms:
            return None
        above = found[Goal(asked.max_tokens, "misfit", rooms[room].high)].above
        return None if above is None or above > context_s else float(above)

    return LongestClip(
        attention=asked.attention,
        max_tokens=asked.max_tokens,
        headless_fits_s=fits("headless"),
        headless_misfit_s=misfit("headless"),
        desktop_fits_s=fits("desktop"),
        desktop_misfit_s=misfit("desktop"),
        context_s=float(context_s),
    )
