"""Cells: the points of a suite, whose ids are hashes of their content."""

import hashlib
from dataclasses import dataclass
from itertools import product

import rfc8785

from bench.records.cell import Requested, Sampling
from bench.records.enums import Attention, WeightMode
from bench.suite.suite import SamplingSettings, Suite


@dataclass(frozen=True, slots=True)
class Cell:
    """One point of a suite: all that is needed to repeat it."""

    cell_id: str
    requested: Requested


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
    requests = (request(suite, point, weight_mode, clip_source_sha256) for point in points)
    return tuple(Cell(cell_id(requested), requested) for requested in requests)


def request(
    suite: Suite, point: tuple[Attention, float, int], weight_mode: WeightMode, clip_source_sha256: str
) -> Requested:
    """Return what one point of a suite asks for; `point` is attention, clip seconds and tokens."""
    attention, clip_seconds, max_tokens = point
    return Requested(
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


def _sampling(settings: SamplingSettings) -> Sampling:
    """Greedy decoding looks at no other setting, so those must not make another cell of it."""
    if not settings.do_sample:
        return Sampling(do_sample=False, temperature=None, top_p=None, top_k=None)
    return Sampling(
        do_sample=True, temperature=settings.temperature, top_p=settings.top_p, top_k=settings.top_k
    )
