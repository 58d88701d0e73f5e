"""Cells: the points of a suite, with ids that are hashes of everything that makes them what they are."""

import hashlib
from dataclasses import dataclass
from itertools import product

import rfc8785

from bench.records.enums import Attention, EncoderAttention, Profile, WeightMode
from bench.records.record import Requested, Sampling
from bench.suite.suite import SamplingSettings, Suite


@dataclass(frozen=True, slots=True)
class Cell:
    """One point of a suite: all that is needed to repeat it."""

    cell_id: str
    requested: Requested


@dataclass(frozen=True, slots=True)
class GroupKey:
    """What decides the loaded model: cells with equal keys can share one worker."""

    model: str
    weight_mode: WeightMode
    engine: str
    profile: Profile
    dtype: str
    attention: Attention
    encoder_attention: EncoderAttention


def cell_id(requested: Requested) -> str:
    """First 16 hex digits of the SHA-256 of the request in its RFC 8785 form (JSON with one spelling)."""
    return hashlib.sha256(rfc8785.dumps(requested.model_dump(mode="json"))).hexdigest()[:16]


def expand(suite: Suite, *, weight_mode: WeightMode, clip_source_sha256: str) -> tuple[Cell, ...]:
    """Every cell of a suite, in the order to run them.

    Cells of one attention stay together, since they share a loaded model. Among them small comes before large
    (by clip length, then by tokens): a cell that runs out of memory can spare those that need more.
    """
    axes = suite.axes
    points = product(axes.attention, sorted(axes.clip_seconds), sorted(axes.max_tokens))
    requests = (
        Requested(
            model=suite.model,
            weight_mode=weight_mode,
            engine=suite.engine,
            profile=suite.profile,
            dtype=suite.dtype,
            attention=attention,
            encoder_attention=suite.encoder_attention,
            clip_seconds=clip_seconds,
            clip_source_sha256=clip_source_sha256,
            max_tokens=max_tokens,
            prompt=suite.prompt,
            time_markers=suite.time_markers,
            sampling=_sampling(suite.sampling),
            seed=suite.seed,
        )
        for attention, clip_seconds, max_tokens in points
    )
    return tuple(Cell(cell_id(requested), requested) for requested in requests)


def group_key(cell: Cell) -> GroupKey:
    """The key of the worker that can run this cell."""
    requested = cell.requested
    return GroupKey(
        model=requested.model,
        weight_mode=requested.weight_mode,
        engine=requested.engine,
        profile=requested.profile,
        dtype=requested.dtype,
        attention=requested.attention,
        encoder_attention=requested.encoder_attention,
    )


def needs_more_of_everything(cell: Cell, than: Cell) -> bool:
    """Whether `cell`, another of the same group, has no shorter clip and no fewer tokens than `than`."""
    return (
        cell != than
        and group_key(cell) == group_key(than)
        and cell.requested.clip_seconds >= than.requested.clip_seconds
        and cell.requested.max_tokens >= than.requested.max_tokens
    )


def _sampling(settings: SamplingSettings) -> Sampling:
    """Greedy decoding looks at no other setting, so those must not make another cell of it."""
    if not settings.do_sample:
        return Sampling(do_sample=False, temperature=None, top_p=None, top_k=None)
    return Sampling(
        do_sample=True, temperature=settings.temperature, top_p=settings.top_p, top_k=settings.top_k
    )
