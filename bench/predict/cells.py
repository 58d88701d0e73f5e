"""Predictions for cells and devices, each found once."""

from collections.abc import Mapping, Sequence
from typing import Final

from bench.arithmetic import architecture
from bench.engines.support import Surroundings, unsupported
from bench.hardware.catalog import Card
from bench.predict.kernel_workspace import ProbedWorkspace
from bench.predict.prediction import OnCard, OnCpu, predict
from bench.predict.roofline import ceiling
from bench.predict.target import Target
from bench.predict.traced_model import Kind, TracedModel, mel_frames, setting_of
from bench.predict.tracing.tracer import Setting
from bench.predict.workspace import cublas_workspace_bytes
from bench.records.prediction import Ceiling, Envelope
from bench.records.reasons import UnsupportedReason
from bench.records.record import CellResult, Predicted, Requested, Work
from bench.suite.cells import Cell
from bench.wording import outcomes

# Whether flash-attn is installed here says nothing of the machine that a plan is for.
_ELSEWHERE: Final = "elsewhere"


class Predictions:
    """What one model needs, for answers of these lengths."""

    def __init__(self, subject: TracedModel, max_tokens: Sequence[int]) -> None:
        self._subject = subject
        self._max_tokens = tuple(dict.fromkeys(max_tokens))
        self._found: dict[tuple[Setting, float, int, str], Mapping[int, Envelope]] = {}
        self._workspace = ProbedWorkspace()

    def cell(self, cell: Cell, target: Target, max_positions: int) -> CellResult:
        """The outcome of one cell: what it needs, or why it cannot run on such a device at all."""
        reason = unsupported_reason(cell.requested, target, max_positions)
        if reason is not None:
            return CellResult(
                cell_id=cell.cell_id, requested=cell.requested, outcome=outcomes.unsupported(reason)
            )
        return CellResult(
            cell_id=cell.cell_id,
            requested=cell.requested,
            outcome=Predicted(),
            work=self._work(cell.requested),
            envelope=self.envelopes(cell.requested, target)[cell.requested.max_tokens],
        )

    def envelopes(self, requested: Requested, target: Target) -> dict[int, Envelope]:
        """The envelope of each answer to this clip, by its length."""
        if target.card is None:
            return dict(self._base(requested, "cpu", None))
        found = self._base(requested, "cuda", target.card)
        return {
            tokens: envelope.model_copy(update={"ceiling": self._ceiling(requested, tokens, target.card)})
            for tokens, envelope in found.items()
        }

    def _base(self, requested: Requested, kind: Kind, card: Card | None) -> Mapping[int, Envelope]:
        """Of two cards memory differs only by what cuBLAS keeps, which their generation decides."""
        kept = cublas_workspace_bytes(card.compute_capability) if card is not None else 0
        key = (setting_of(requested, kind), requested.clip_seconds, kept, requested.profile)
        if key not in self._found:
            trace = self._subject.trace(requested, kind)
            if card is None:
                self._workspace.prepare(trace.kernels)
            self._found[key] = predict(
                trace,
                self._subject.memory(requested, kind),
                OnCpu(self._workspace) if card is None else OnCard(card),
                mel_frames=mel_frames(requested.clip_seconds),
                logits_positions=key[0].logits_positions,
                max_tokens=self._max_tokens,
            )
        return self._found[key]

    def _ceiling(self, requested: Requested, tokens: int, card: Card) -> Ceiling:
        memory, prompt = self._subject.memory(requested, "cpu"), self._subject.prompt_tokens(requested)
        return ceiling(
            memory.shapes,
            card,
            mel_frames=mel_frames(requested.clip_seconds),
            prompt_tokens=prompt,
            max_tokens=tokens,
            logits_positions=self._logits_positions(requested),
            element_bytes=memory.element_bytes,
        )

    def _work(self, requested: Requested) -> Work:
        memory, prompt = self._subject.memory(requested, "cpu"), self._subject.prompt_tokens(requested)
        return Work(
            decode_bytes_per_token=architecture.decode_bytes_per_token(
                memory.shapes,
                prompt_tokens=prompt,
                generated_tokens=requested.max_tokens,
                element_bytes=memory.element_bytes,
            ),
            encode_operations=architecture.encode_operations(
                memory.shapes, mel_frames(requested.clip_seconds)
            ),
            prefill_operations=architecture.prefill_operations(
                memory.shapes, prompt_tokens=prompt, logits_positions=self._logits_positions(requested)
            ),
        )

    def _logits_positions(self, requested: Requested) -> int:
        every = setting_of(requested, "cuda").logits_positions == "all"
        return self._subject.prompt_tokens(requested) if every else 1


def unsupported_reason(requested: Requested, target: Target, max_positions: int) -> UnsupportedReason | None:
    """Why such a device cannot run this at all; None if nothing speaks against it."""
    there = Surroundings(target.info.kind, target.info.compute_capability, _ELSEWHERE, max_positions)
    return unsupported(requested, there)
