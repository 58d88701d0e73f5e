"""Predictions of cells on devices, each made once."""

from collections.abc import Mapping, Sequence
from typing import Final

from bench.arithmetic import architecture
from bench.engines.native.profiles import settings_of
from bench.engines.support import Surroundings, unsupported
from bench.hardware.catalog import Card
from bench.packages import version_of
from bench.predict.allocator.protocol import AS_SHIPPED, Measuring
from bench.predict.cpu_workspace import ProbedWorkspace
from bench.predict.cuda_workspace import cublas_workspace_bytes
from bench.predict.prediction import OnCard, OnCpu, predict
from bench.predict.roofline import ceiling
from bench.predict.target import Target
from bench.predict.traced_model import TracedModel, mel_frames, setting_of
from bench.predict.weights_block import weights_blocks
from bench.records.prediction import Ceiling, Envelope
from bench.records.reasons import UnsupportedReason
from bench.records.record import CellResult, Predicted, Requested, Work
from bench.suite.cells import Cell
from bench.wording import outcomes

# A plan is for another machine, on which flash-attn may be installed.
_ELSEWHERE: Final = "elsewhere"


class Predictions:
    """The predictions of one model, for answers of these lengths, measured in this way."""

    def __init__(
        self, model: TracedModel, max_tokens: Sequence[int], measuring: Measuring = AS_SHIPPED
    ) -> None:
        self._model = model
        self._measuring = measuring
        self._transformers = version_of("transformers")
        self._max_tokens = tuple(dict.fromkeys(max_tokens))
        self._found: dict[tuple[object, ...], Mapping[int, Envelope]] = {}
        self._workspace = ProbedWorkspace()

    def cell(self, cell: Cell, target: Target, max_positions: int) -> CellResult:
        """Return the predicted result of one cell, or the reason why the device cannot run it."""
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
        """Return the predicted memory of each answer to this clip, by its length."""
        found = self._base(requested, target)
        if target.card is None:
            return dict(found)
        return {
            tokens: envelope.model_copy(update={"ceiling": self._ceiling(requested, tokens, target.card)})
            for tokens, envelope in found.items()
        }

    def _base(self, requested: Requested, target: Target) -> Mapping[int, Envelope]:
        """Memory without ceilings. Cards of one setting differ by cuBLAS's workspace and loading's block."""
        setting, card = setting_of(requested, target), target.card
        memory, where = self._model.memory(requested, setting.kind), self._on(target, requested)
        kept = cublas_workspace_bytes(card.compute_capability) if card is not None else 0
        blocks = where.weights_blocks if isinstance(where, OnCard) else None
        key = (setting, requested.clip_seconds, kept, blocks, requested.profile)
        if key not in self._found:
            trace = self._model.trace(requested, target)
            if card is None:
                self._workspace.prepare(trace.kernels)
            found = predict(
                trace,
                memory,
                where,
                mel_frames=mel_frames(requested.clip_seconds),
                logits_positions=setting.logits_positions,
                max_tokens=self._max_tokens,
            )
            self._found[key] = {
                tokens: envelope.model_copy(update={"attention_kernel": setting.kernel})
                for tokens, envelope in found.items()
            }
        return self._found[key]

    def _on(self, target: Target, requested: Requested) -> OnCard | OnCpu:
        card, system = target.card, target.system
        if card is None or system is None:
            return OnCpu(self._workspace)
        every = self._model.memory(requested, "cpu").weights_bytes
        blocks = weights_blocks(every, card, system.os, requested.weight_mode, self._transformers)
        return OnCard(card, self._measuring, blocks)

    def _ceiling(self, requested: Requested, tokens: int, card: Card) -> Ceiling:
        memory, prompt = self._model.memory(requested, "cpu"), self._model.prompt_tokens(requested)
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
        memory, prompt = self._model.memory(requested, "cpu"), self._model.prompt_tokens(requested)
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
        every = settings_of(requested.profile).logits_positions == "all"
        return self._model.prompt_tokens(requested) if every else 1


def unsupported_reason(requested: Requested, target: Target, max_positions: int) -> UnsupportedReason | None:
    """Return the reason why such a device cannot run this cell; None if it can."""
    there = Surroundings(target.info.kind, target.info.compute_capability, _ELSEWHERE, max_positions)
    return unsupported(requested, there)
