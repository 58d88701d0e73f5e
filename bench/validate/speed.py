"""Work of a cell by the architecture, and the speed that follows, against what the card can do.

A figure that a record leaves out switches no rule off: the least that the request needs takes its place.
"""

from collections.abc import Iterator
from statistics import median
from typing import Final, NamedTuple

from bench.arithmetic import architecture
from bench.engines.native.profiles import settings_of
from bench.engines.support import audio_positions
from bench.hardware.catalog import Card
from bench.predict.setting import mel_frames
from bench.records.cell import CellResult, Repeat, Work
from bench.records.record import Record
from bench.suite.suite import MAX_CLIP_S
from bench.validate.candidate import Found
from bench.validate.claims import NATIVE, element_bytes, released_shapes
from bench.validate.repeats import ABSOLUTE_S, RELATIVE

BANDWIDTH_SLACK: Final = (0.95, 1.2)
"""Decoding reaches 60 to 90 % of the bandwidth; memory can be overclocked by up to 15 %."""
RATE_SLACK: Final = (1.0, 1.5)
"""Prefill and encoder reach 30 to 80 % of the BF16 rate; clocks pass the specification by up to 15 %, and
the rate of some cards is derived."""


class Needed(NamedTuple):
    """Bytes and operations of a cell. Those of `exact` are known, the others are the least."""

    work: Work
    exact: frozenset[str]


def needed(record: Record, cell: CellResult) -> Needed | None:
    """Return what a cell of a released model takes; None for another model, whose shapes nobody knows."""
    shapes, asked = released_shapes(record), cell.requested
    if shapes is None or not cell.repeats or asked.clip_seconds > MAX_CLIP_S:  # the latter is a foreign cell
        return None
    least = audio_positions(asked.clip_seconds, asked.time_markers)
    stated = None if cell.effective is None else cell.effective.prompt_tokens
    prompt = least if stated is None else max(stated, least)
    logits = _logits_positions(cell)
    exact = {"encode_operations"}
    if prompt == stated:
        exact |= {"decode_bytes_per_token", *(() if logits is None else ("prefill_operations",))}
    work = Work(
        decode_bytes_per_token=architecture.decode_bytes_per_token(
            shapes,
            prompt_tokens=prompt,
            generated_tokens=min(cell.repeats[0].generated_tokens, asked.max_tokens),
            element_bytes=element_bytes(asked.dtype),
        ),
        encode_operations=architecture.encode_operations(shapes, mel_frames(asked.clip_seconds)),
        prefill_operations=architecture.prefill_operations(
            shapes, prompt_tokens=prompt, logits_positions=prompt if logits == "all" else 1
        ),
    )
    return Needed(work, frozenset(exact))


def _logits_positions(cell: CellResult) -> str | None:
    """The positions whose logits are computed, as stated or by the profile; None where neither says it."""
    stated = None if cell.effective is None else cell.effective.logits_positions
    if stated is None and cell.requested.engine == NATIVE:
        return settings_of(cell.requested.profile).logits_positions
    return stated


def counts(path: str, cell: CellResult, least: Needed) -> Iterator[Found]:
    """Yield the counts of bytes and operations that do not follow from shapes and lengths."""
    if cell.work is None:
        return
    for name, computed in least.work:
        stated = getattr(cell.work, name)
        slack = RELATIVE * computed
        if stated < computed - slack or (name in least.exact and stated > computed + slack):
            yield Found("work_mismatch", f"{path}.work.{name}", {"stated": stated, "computed": computed})


def speed(path: str, cell: CellResult, card: Card, work: Work) -> Iterator[Found]:
    """Yield the speeds that are beyond the bandwidth and the rate of a card."""
    bandwidth, rate = card.memory_bandwidth_bytes_per_s, card.bf16_operations_per_s
    if bandwidth is not None:
        every = [(f"repeats[{nth}]", repeat) for nth, repeat in enumerate(cell.repeats)]
        for name, repeat in (*every, *(() if cell.cold is None else (("cold", cell.cold),))):
            share = _tokens_per_s(repeat) * work.decode_bytes_per_token / bandwidth
            where = f"{path}.{name}.decode_tokens_per_s"
            if share > BANDWIDTH_SLACK[1]:
                yield Found("decode_above_bandwidth", where, {"ratio": share})
            elif share > BANDWIDTH_SLACK[0]:
                yield Found("decode_near_bandwidth", where, {"ratio": share})
    if rate is not None and cell.repeats:
        for name, operations_per_s in _rates(cell.repeats, work):
            share = operations_per_s / rate
            if share > RATE_SLACK[1]:
                yield Found("rate_above_card", f"{path}.{name}", {"ratio": share})
            elif share > RATE_SLACK[0]:
                yield Found("rate_near_card", f"{path}.{name}", {"ratio": share})


def _tokens_per_s(repeat: Repeat) -> float:
    """The rate of decoding; where tokens came in chunks, the least that the latency allows."""
    if repeat.decode_tokens_per_s is not None:
        return repeat.decode_tokens_per_s
    return (repeat.generated_tokens - 1) / max(repeat.latency_s, ABSOLUTE_S)


def _rates(repeats: tuple[Repeat, ...], work: Work) -> Iterator[tuple[str, float]]:
    """The median rate of the encoder, and that of the prefill, with the encoder where it has no time."""
    encoding = [
        work.encode_operations / max(repeat.encode_s, ABSOLUTE_S)
        for repeat in repeats
        if repeat.encode_s is not None
    ]
    if encoding:
        yield "summary.encode_s", median(encoding)
    yield "summary.time_to_first_token_s", median(_rate_to_first_token(repeat, work) for repeat in repeats)


def _rate_to_first_token(repeat: Repeat, work: Work) -> float:
    before = (repeat.preprocess_s or 0.0) + (repeat.encode_s or 0.0)
    operations = work.prefill_operations + (work.encode_operations if repeat.encode_s is None else 0.0)
    return operations / max(repeat.time_to_first_token_s - before, ABSOLUTE_S)
