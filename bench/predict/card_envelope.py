"""Memory of a cell on a card, as stored figures, and the envelope of a record from them. Pure.

The figures depend on the model, the clip, the answer, the workspace of cuBLAS and the block of loading, but
not on the card: they are found once (`prediction`), and may come from the shipped table or from the cache.
Costs that differ between cards and machines are added here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from bench.arithmetic.architecture import kv_cache_bytes
from bench.arithmetic.shapes import Shapes
from bench.hardware.budget import CONTEXT, Cost
from bench.records.base import ByteInterval, Bytes
from bench.records.enums import AttentionKernel, Phase
from bench.records.prediction import Envelope, PhaseEnvelope

LOADED: Final = "loading the weights"
"""The `peak_op` of loading, which is no operator."""


@dataclass(frozen=True, slots=True)
class PhaseTerms:
    """The highest point of a phase: bytes of KV cache, of other tensors, and of whole blocks beyond them."""

    cache_bytes: Bytes
    activations_bytes: Bytes
    rounding_bytes: Bytes
    peak_op: str


@dataclass(frozen=True, slots=True)
class CardTerms:
    """The memory of one cell on a card, without CUDA context, in bytes.

    Attributes:
        weights_bytes: weights that stay on the card.
        buffers_bytes: tensors that the model keeps in addition.
        kept_bytes: the workspace of cuBLAS, in every phase but loading.
        prompt_tokens: positions of the prefill.
        activations_peak_bytes: most bytes at once of tensors that are neither weights nor KV cache.
        convolution_bytes: the most that cuDNN may take.
        reserved_bytes: what the modelled allocator holds if cuDNN takes nothing.
        reserved_with_convolution_bytes: and if it takes the most. May be less: what is released leaves gaps.
        phases: the terms of each phase, in order.
    """

    weights_bytes: Bytes
    buffers_bytes: Bytes
    kept_bytes: Bytes
    prompt_tokens: int
    activations_peak_bytes: Bytes
    convolution_bytes: Bytes
    reserved_bytes: Bytes
    reserved_with_convolution_bytes: Bytes
    phases: Annotated[Mapping[Phase, PhaseTerms], Field(min_length=1)]


def card_envelope(
    terms: CardTerms,
    shapes: Shapes,
    *,
    element_bytes: int,
    max_tokens: int,
    kernel: AttentionKernel | None = None,
    context: Cost = CONTEXT,
    convolution: bool = True,
) -> Envelope:
    """Return the envelope of an answer of `max_tokens`, without a ceiling of speed.

    The lower end of the reserved bytes is what torch must hold, the allocated ones. `convolution` false:
    cuDNN takes no workspace.
    """
    phases = {phase: _phase(phase, found, terms) for phase, found in terms.phases.items()}
    peak_phase = max(phases, key=lambda phase: phases[phase].allocated_peak_bytes)
    low = phases[peak_phase].allocated_peak_bytes
    most = (terms.reserved_bytes, terms.reserved_with_convolution_bytes if convolution else 0)
    reserved = ByteInterval(low=low, high=max(low, *most))
    return Envelope(
        weights_bytes=terms.weights_bytes,
        kv_cache_bytes=cache_at_the_end(shapes, terms.prompt_tokens, max_tokens, element_bytes),
        activations_peak_bytes=terms.activations_peak_bytes,
        workspace_peak_bytes=terms.kept_bytes,
        convolution_workspace_bytes=ByteInterval(low=0, high=terms.convolution_bytes),
        allocated_peak_bytes=low,
        reserved_peak_bytes=reserved,
        context_bytes=context.interval,
        device_peak_bytes=ByteInterval(
            low=reserved.low + context.low_bytes, high=reserved.high + context.high_bytes
        ),
        peak_phase=peak_phase,
        peak_op=phases[peak_phase].peak_op,
        attention_kernel=kernel,
        prompt_tokens=terms.prompt_tokens,
        phases=phases,
        ceiling=None,
    )


def cache_at_the_end(shapes: Shapes, prompt_tokens: int, max_tokens: int, element_bytes: int) -> int:
    """KV cache at the end of an answer: the last token is never fed back, so it has no keys and values."""
    positions = prompt_tokens + max_tokens - 1
    return round(kv_cache_bytes(shapes.language_config, positions, element_bytes))


def _phase(phase: Phase, found: PhaseTerms, terms: CardTerms) -> PhaseEnvelope:
    kept = 0 if phase is Phase.LOAD else terms.kept_bytes
    staying = terms.weights_bytes + terms.buffers_bytes + kept
    return PhaseEnvelope(
        allocated_peak_bytes=staying + found.cache_bytes + found.activations_bytes + found.rounding_bytes,
        cache_bytes=found.cache_bytes,
        activations_bytes=found.activations_bytes,
        workspace_bytes=kept,
        buffers_bytes=terms.buffers_bytes,
        rounding_bytes=found.rounding_bytes,
        peak_op=found.peak_op,
    )
