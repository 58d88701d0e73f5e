"""From a trace to predicted memory: each term of each phase, and the need of a card. Pure.

On a card, allocated bytes are those of torch's counter: whole blocks, from a replay of the cell's protocol
(`allocator.protocol`) without cuDNN's workspace, which is an interval of its own. The terms of a phase are
those of its highest point, and what whole blocks take beyond them is `rounding_bytes`. The workspace of
cuBLAS counts in every phase but loading: it is allocated in the cold call and stays. The lower end of the
reserved bytes is the allocated bytes, which torch must hold; the upper end is the modelled allocator's peak,
with cuDNN's workspace or without, on a card with memory to spare. On the CPU each kernel has its own
workspace, and there is no caching allocator.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bench.hardware.catalog import Card
from bench.predict.allocator.protocol import AS_SHIPPED, CellMemory, CellReplay, Measuring, Workspace
from bench.predict.card_clip import Place
from bench.predict.card_envelope import LOADED, CardTerms, PhaseTerms, cache_at_the_end, card_envelope
from bench.predict.cuda_workspace import cublas_workspace_bytes, cudnn_layout_bytes, no_workspace
from bench.predict.peaks import PhasePeak, SummedTrace
from bench.predict.roofline import ceiling
from bench.predict.trace import Kernel, ModelMemory, Trace
from bench.records.enums import Phase
from bench.records.prediction import Ceiling, Envelope, PhaseEnvelope

LogitsPositions = Literal["all", "last"]

_AT_BEGIN: Final = "what was there before"


@dataclass(frozen=True, slots=True)
class OnCard:
    """A CUDA card, how its cells are measured, and the blocks that loading may begin with.

    `weights_blocks` are in bytes, the most likely first; None: one block of all weights.
    """

    card: Card
    measuring: Measuring = AS_SHIPPED
    weights_blocks: tuple[int, ...] | None = None

    def of(self, memory: ModelMemory) -> Place:
        """Return what of it decides the memory of a model."""
        return Place(
            cublas_workspace_bytes(self.card.compute_capability),
            self.weights_blocks or (memory.weights_bytes,),
            self.measuring,
        )


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
    """Return the predicted memory of each answer, all from one trace; none depends on the other answers.

    Raises:
        ValueError: less than one token, or a trace without a decode step for so many.
    """
    if isinstance(place, OnCpu):
        summed = SummedTrace(trace, place.workspace)
        return {tokens: _on_cpu(trace, memory, tokens, summed.peaks(tokens)) for tokens in max_tokens}
    ceilings = _ceilings(
        trace, memory, place.card, max_tokens, mel_frames=mel_frames, logits=logits_positions
    )
    return {
        tokens: card_envelope(
            terms, memory.shapes, element_bytes=memory.element_bytes, max_tokens=tokens
        ).model_copy(update={"ceiling": ceilings[tokens]})
        for tokens, terms in OnCards(trace, memory).terms(place.of(memory), max_tokens).items()
    }


class OnCards:
    """Memory of the answers to one clip on cards. Shared parts are computed once."""

    def __init__(self, trace: Trace, memory: ModelMemory) -> None:
        self._trace = trace
        self._memory = memory
        self._summed = SummedTrace(trace, no_workspace)
        self._convolution_bytes = max(map(cudnn_layout_bytes, trace.kernels), default=0)
        self._replays: dict[Measuring, CellReplay] = {}

    def terms(self, place: Place, max_tokens: Sequence[int]) -> dict[int, CardTerms]:
        """Return what each answer takes on a card, as `predict` does, without the costs of the card.

        Raises:
            ValueError: less than one token, or a trace without a decode step for so many.
        """
        return {tokens: self._terms(place, tokens) for tokens in max_tokens}

    def _terms(self, place: Place, tokens: int) -> CardTerms:
        memory, peaks = self._memory, self._summed.peaks(tokens)
        plain, convolving = (
            self._cells(place, workspace, tokens) for workspace in (no_workspace, cudnn_layout_bytes)
        )
        return CardTerms(
            weights_bytes=memory.staying_bytes,
            buffers_bytes=memory.buffers_bytes,
            kept_bytes=place.kept_bytes,
            prompt_tokens=self._trace.prompt_tokens,
            activations_peak_bytes=max(peak.activations_peak_bytes for peak in peaks.values()),
            convolution_bytes=self._convolution_bytes,
            reserved_bytes=max(cell.reserved_bytes for cell in plain),
            reserved_with_convolution_bytes=max(cell.reserved_bytes for cell in convolving),
            phases=_card_phases(memory, self._summed, plain[0], place.kept_bytes),
        )

    def _cells(self, place: Place, workspace: Workspace, tokens: int) -> list[CellMemory]:
        """Return the memory of a cell for each block of the weights."""
        replayed = self._replays.get(place.measuring)
        if replayed is None:
            replayed = CellReplay(memory=self._memory, trace=self._trace, measuring=place.measuring)
            self._replays[place.measuring] = replayed
        return [
            replayed.cell(tokens, workspace, block_bytes=block_bytes, kept_bytes=place.kept_bytes)
            for block_bytes in place.weights_blocks
        ]


def _card_phases(
    memory: ModelMemory, summed: SummedTrace, cell: CellMemory, kept: int
) -> dict[Phase, PhaseTerms]:
    loading = memory.weights_bytes + memory.buffers_bytes
    phases = {
        Phase.LOAD: PhaseTerms(
            cache_bytes=0,
            activations_bytes=memory.weights_bytes - memory.staying_bytes,
            rounding_bytes=cell.loading_bytes - loading,
            peak_op=LOADED,
        )
    }
    for phase, peak in cell.phases.items():
        level = summed.at(peak.event, peak.step, is_begin=peak.is_begin)
        tensors = memory.staying_bytes + memory.buffers_bytes + level.cache_bytes + level.activations_bytes
        phases[phase] = PhaseTerms(
            cache_bytes=level.cache_bytes,
            activations_bytes=level.activations_bytes,
            rounding_bytes=peak.allocated_bytes - tensors - kept,
            peak_op=str(level.kernel) if level.kernel else _AT_BEGIN,
        )
    return phases


def _on_cpu(trace: Trace, memory: ModelMemory, tokens: int, peaks: Mapping[Phase, PhasePeak]) -> Envelope:
    phases = {Phase.LOAD: _load(memory)}
    for phase, peak in peaks.items():
        phases[phase] = PhaseEnvelope(
            allocated_peak_bytes=memory.staying_bytes + memory.buffers_bytes + peak.allocated_bytes,
            cache_bytes=peak.cache_bytes,
            activations_bytes=peak.activations_bytes,
            workspace_bytes=peak.workspace_bytes,
            buffers_bytes=memory.buffers_bytes,
            peak_op=str(peak.kernel) if peak.kernel else _AT_BEGIN,
        )
    peak_phase = max(phases, key=lambda phase: phases[phase].allocated_peak_bytes)
    return Envelope(
        weights_bytes=memory.staying_bytes,
        kv_cache_bytes=cache_at_the_end(memory.shapes, trace.prompt_tokens, tokens, memory.element_bytes),
        activations_peak_bytes=max(peak.activations_peak_bytes for peak in peaks.values()),
        workspace_peak_bytes=max(peak.workspace_peak_bytes for peak in peaks.values()),
        convolution_workspace_bytes=None,
        allocated_peak_bytes=phases[peak_phase].allocated_peak_bytes,
        reserved_peak_bytes=None,
        context_bytes=None,
        device_peak_bytes=None,
        peak_phase=peak_phase,
        peak_op=phases[peak_phase].peak_op,
        prompt_tokens=trace.prompt_tokens,
        phases=phases,
        ceiling=None,
    )


def _load(memory: ModelMemory) -> PhaseEnvelope:
    """The weights, including those that then move to the host."""
    return PhaseEnvelope(
        allocated_peak_bytes=memory.weights_bytes + memory.buffers_bytes,
        cache_bytes=0,
        activations_bytes=memory.weights_bytes - memory.staying_bytes,
        workspace_bytes=0,
        buffers_bytes=memory.buffers_bytes,
        peak_op=LOADED,
    )


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
