"""From a trace to predicted memory: each term of each phase, and the need of a card. Pure.

On a card, the workspace of cuBLAS counts from the encoder on: it is allocated at the first product of
matrices and stays. The workspace of cuDNN is an interval of its own, `convolution_workspace_bytes`. The lower
end of the reserved bytes is the allocated bytes, which torch must hold; the upper end is the modelled
allocator's peak, with cuDNN's workspace, on a card with memory to spare. On the CPU each kernel has its own
workspace, and there is no caching allocator.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bench.arithmetic.architecture import kv_cache_bytes
from bench.hardware.budget import CONTEXT
from bench.hardware.catalog import Card
from bench.predict.allocator.caching import DEFAULT, AllocatorSettings
from bench.predict.allocator.reserved import reserved_peaks
from bench.predict.cuda_workspace import cublas_workspace_bytes, cudnn_layout_bytes, no_workspace
from bench.predict.peaks import PhasePeak, phase_peaks
from bench.predict.roofline import ceiling
from bench.predict.trace import Kernel, ModelMemory, Trace
from bench.records.base import Interval
from bench.records.enums import Phase
from bench.records.prediction import Ceiling, Envelope, PhaseEnvelope

LogitsPositions = Literal["all", "last"]

_LOADED: Final = "loading the weights"
_AT_BEGIN: Final = "what was there before"


@dataclass(frozen=True, slots=True)
class OnCard:
    """A CUDA card, and the settings of torch's allocator on it."""

    card: Card
    settings: AllocatorSettings = DEFAULT


@dataclass(frozen=True, slots=True)
class OnCpu:
    """A CPU; `workspace` returns the bytes that a kernel takes in addition to its tensors while it runs."""

    workspace: Callable[[Kernel], int]


def predict(
    trace: Trace,
    memory: ModelMemory,
    place: OnCard | OnCpu,
    *,
    mel_frames: int,
    logits_positions: LogitsPositions,
    max_tokens: Sequence[int],
) -> dict[int, Envelope]:
    """Return the predicted memory of each answer, all from one trace.

    Raises:
        ValueError: less than one token, or a trace without a decode step for so many.
    """
    if isinstance(place, OnCpu):
        peaks = phase_peaks(trace, max_tokens, place.workspace)
        return {tokens: _envelope(trace, memory, tokens, peaks=found) for tokens, found in peaks.items()}
    needs = _card_needs(trace, memory, place, max_tokens)
    peaks = phase_peaks(trace, max_tokens, no_workspace)
    ceilings = _ceilings(
        trace, memory, place.card, max_tokens, mel_frames=mel_frames, logits=logits_positions
    )
    return {
        tokens: _envelope(trace, memory, tokens, peaks=found, need=needs[tokens], bound=ceilings[tokens])
        for tokens, found in peaks.items()
    }


@dataclass(frozen=True, slots=True)
class _CardNeed:
    """Terms of a card only: workspace that stays, that of cuDNN, and the peak of the allocator."""

    kept_bytes: int
    convolution: Interval
    reserved_bytes: int

    def reserved(self, allocated_bytes: int) -> Interval:
        """From the allocated bytes. The model may hold less: buffers take the place of weights that left."""
        return Interval(low=allocated_bytes, high=max(allocated_bytes, self.reserved_bytes))

    def device(self, allocated_bytes: int) -> Interval:
        reserved = self.reserved(allocated_bytes)
        return Interval(low=reserved.low + CONTEXT.low_bytes, high=reserved.high + CONTEXT.high_bytes)


def _card_needs(
    trace: Trace, memory: ModelMemory, place: OnCard, max_tokens: Sequence[int]
) -> dict[int, _CardNeed]:
    """Replay the allocator without cuDNN's workspace and with it.

    Workspace that is released may leave a gap for later blocks: then less is reserved with it.
    """
    kept = cublas_workspace_bytes(place.card.compute_capability)
    without, with_it = (
        reserved_peaks(memory, trace, max_tokens, workspace, kept, settings=place.settings)
        for workspace in (no_workspace, cudnn_layout_bytes)
    )
    convolution = Interval(low=0, high=max(map(cudnn_layout_bytes, trace.kernels), default=0))
    return {
        tokens: _CardNeed(kept, convolution, max(without[tokens], with_it[tokens])) for tokens in max_tokens
    }


def _envelope(
    trace: Trace,
    memory: ModelMemory,
    tokens: int,
    *,
    peaks: Mapping[Phase, PhasePeak],
    need: _CardNeed | None = None,
    bound: Ceiling | None = None,
) -> Envelope:
    kept = need.kept_bytes if need else 0
    phases = {Phase.LOAD: _load(memory)}
    phases |= {
        phase: _phase(memory, peak, 0 if phase is Phase.PREPROCESS else kept) for phase, peak in peaks.items()
    }
    peak_phase = max(phases, key=lambda phase: phases[phase].allocated_peak_bytes)
    allocated = phases[peak_phase].allocated_peak_bytes
    return Envelope(
        weights_bytes=memory.staying_bytes,
        kv_cache_bytes=_cache_at_the_end(trace, memory, tokens),
        activations_peak_bytes=max(peak.activations_peak_bytes for peak in peaks.values()),
        workspace_peak_bytes=kept + max(peak.workspace_peak_bytes for peak in peaks.values()),
        convolution_workspace_bytes=need.convolution if need else None,
        allocated_peak_bytes=allocated,
        reserved_peak_bytes=need.reserved(allocated) if need else None,
        context_bytes=CONTEXT.interval if need else None,
        device_peak_bytes=need.device(allocated) if need else None,
        peak_phase=peak_phase,
        peak_op=phases[peak_phase].peak_op,
        prompt_tokens=trace.prompt_tokens,
        phases=phases,
        ceiling=bound,
    )


def _load(memory: ModelMemory) -> PhaseEnvelope:
    """The weights, including those that then move to the host."""
    return PhaseEnvelope(
        allocated_peak_bytes=memory.weights_bytes + memory.buffers_bytes,
        cache_bytes=0,
        activations_bytes=memory.weights_bytes - memory.staying_bytes,
        workspace_bytes=0,
        buffers_bytes=memory.buffers_bytes,
        peak_op=_LOADED,
    )


def _phase(memory: ModelMemory, peak: PhasePeak, kept: int) -> PhaseEnvelope:
    return PhaseEnvelope(
        allocated_peak_bytes=memory.staying_bytes + memory.buffers_bytes + peak.allocated_bytes + kept,
        cache_bytes=peak.cache_bytes,
        activations_bytes=peak.activations_bytes,
        workspace_bytes=peak.workspace_bytes + kept,
        buffers_bytes=memory.buffers_bytes,
        peak_op=str(peak.kernel) if peak.kernel else _AT_BEGIN,
    )


def _cache_at_the_end(trace: Trace, memory: ModelMemory, tokens: int) -> int:
    """KV cache at the end of an answer: the last token is never fed back, so it has no keys and values."""
    positions = trace.prompt_tokens + tokens - 1
    return round(kv_cache_bytes(memory.shapes.language_config, positions, memory.element_bytes))


def _ceilings(
    trace: Trace,
    memory: ModelMemory,
    card: Card,
    max_tokens: Sequence[int],
    *,
    mel_frames: int,
    logits: LogitsPositions,
) -> dict[int, Ceiling]:
    return {
        tokens: ceiling(
            memory.shapes,
            card,
            mel_frames=mel_frames,
            prompt_tokens=trace.prompt_tokens,
            max_tokens=tokens,
            logits_positions=1 if logits == "last" else trace.prompt_tokens,
            element_bytes=memory.element_bytes,
        )
        for tokens in max_tokens
    }
