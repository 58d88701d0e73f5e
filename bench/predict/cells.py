"""Predictions of cells on devices, each made once."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from bench.arithmetic import architecture
from bench.engines.native import SPEC
from bench.engines.support import SupportFacts, unsupported
from bench.errors import BenchError, PackageError
from bench.hardware.budget import CONTEXT
from bench.hardware.catalog import Card
from bench.packages import version_of
from bench.predict.allocator.protocol import AS_SHIPPED, Measuring
from bench.predict.card_clip import CardClip, Place, TermsSource
from bench.predict.card_envelope import CardTerms, card_envelope
from bench.predict.cuda_workspace import cublas_workspace_bytes
from bench.predict.planned_model import PlannedModel
from bench.predict.roofline import ceiling
from bench.predict.setting import mel_frames, setting_of
from bench.predict.target import Target
from bench.predict.terms_cache import TermsCache
from bench.predict.weights_block import weights_blocks
from bench.records.cell import CellResult, Predicted, Requested, Work
from bench.records.prediction import Ceiling, Envelope
from bench.records.reasons import UnsupportedReason
from bench.suite.cells import Cell
from bench.wording import outcomes

if TYPE_CHECKING:
    from bench.predict.cpu_workspace import ProbedWorkspace
    from bench.predict.traced_model import TracedModel

# A plan is for another machine, on which flash-attn may be installed.
_ELSEWHERE: Final = "elsewhere"
_NOT_SHIPPED: Final = (
    "this prediction has to be traced: the shipped table has released models on cards, clips of whole "
    "multiples of 4 s, and the clips and answers of the shipped suites"
)


def quiet(_message: str) -> None:
    """Drop progress messages."""


class NotStoredError(BenchError):
    """No source holds this clip, and it may not be traced."""


class Predictions:
    """The predictions of one model, for answers of these lengths, measured in this way.

    A clip on a card is looked up in `stored` first, source by source; what none has is traced, which needs
    torch, and kept in `cache`. `announce` receives the name of each trace. Unless `may_trace`, what is not
    stored raises `NotStoredError`.
    """

    def __init__(
        self,
        model: PlannedModel,
        max_tokens: Sequence[int],
        measuring: Measuring = AS_SHIPPED,
        *,
        stored: Sequence[TermsSource] = (),
        cache: TermsCache | None = None,
        announce: Callable[[str], None] = quiet,
        may_trace: bool = True,
    ) -> None:
        self._model = model
        self._measuring = measuring
        self._transformers = version_of("transformers")
        self._max_tokens = tuple(dict.fromkeys(max_tokens))
        self._stored = (*stored, *([cache] if cache is not None else []))
        self._cache = cache
        self._announce = announce
        self._may_trace = may_trace
        self._terms: dict[CardClip, dict[int, CardTerms]] = {}
        self._envelopes: dict[tuple[object, ...], dict[int, Envelope]] = {}

    def cell(self, cell: Cell, target: Target) -> CellResult:
        """Return the predicted result of one cell, or the reason why the device cannot run it.

        Raises:
            PackageError: it has to be traced, and what traces it is not installed.
        """
        reason = unsupported_reason(cell.requested, target, self._model.source.max_positions)
        if reason is not None:
            return CellResult(
                cell_id=cell.cell_id, requested=cell.requested, outcome=outcomes.unsupported(reason)
            )
        envelope = self.envelopes(cell.requested, target)[cell.requested.max_tokens]
        if target.card is not None:
            envelope = envelope.model_copy(update={"ceiling": self._ceiling(cell.requested, target.card)})
        return CellResult(
            cell_id=cell.cell_id,
            requested=cell.requested,
            outcome=Predicted(),
            work=self._work(cell.requested),
            envelope=envelope,
        )

    def envelopes(self, requested: Requested, target: Target) -> dict[int, Envelope]:
        """Return the predicted memory of each answer to this clip, by its length, without ceilings of speed.

        Raises:
            PackageError: it has to be traced, and what traces it is not installed.
        """
        if target.card is None:
            return self._on_cpu(requested, target)
        clip, costs = self.clip(requested, target), target.costs
        context = CONTEXT if costs is None else costs.context
        convolution = costs is None or costs.convolution
        key = (clip, context, convolution)
        if key not in self._envelopes:
            self._envelopes[key] = {
                tokens: card_envelope(
                    terms,
                    self._model.shapes,
                    element_bytes=self._model.element_bytes,
                    max_tokens=tokens,
                    kernel=clip.setting.kernel,
                    context=context,
                    convolution=convolution,
                )
                for tokens, terms in self.terms(clip).items()
            }
        return self._envelopes[key]

    def terms(self, clip: CardClip) -> dict[int, CardTerms]:
        """Return the figures of a clip for each answer, stored ones or traced."""
        found = self._terms.setdefault(clip, {})
        for source in self._stored:
            missing = [tokens for tokens in self._max_tokens if tokens not in found]
            found.update(source.find(clip, missing) if missing else {})
        missing = [tokens for tokens in self._max_tokens if tokens not in found]
        if missing and not self._may_trace:
            raise NotStoredError(f"{clip.mel_frames} mel frames are not stored")
        if missing:
            traced = self._traced.find(clip, missing)
            found.update(traced)
            if self._cache is not None:
                self._cache.keep(clip, traced)
        return found

    @cached_property
    def _traced(self) -> "TracedModel":
        from bench.doctor.checks.install import ONLY_PREDICTS
        from bench.doctor.installed import prepare_imports, require_packages

        prepare_imports()
        try:
            require_packages(SPEC.packages)
        except PackageError as error:
            why = error.message.removesuffix(f": {ONLY_PREDICTS}")  # this very prediction it cannot make
            raise PackageError(f"{_NOT_SHIPPED}: {why}", hint=error.hint, commands=error.commands) from error
        from bench.engines.native.engine import quiet_transformers
        from bench.predict.traced_model import TracedModel

        quiet_transformers()

        return TracedModel(self._model, self._announce)

    @cached_property
    def _workspace(self) -> "ProbedWorkspace":
        from bench.predict.cpu_workspace import ProbedWorkspace

        return ProbedWorkspace()

    def clip(self, requested: Requested, target: Target) -> CardClip:
        """Return the parts of a cell and its card that decide the memory.

        Raises:
            ValueError: the target is no card.
        """
        model, card, system = self._model, target.card, target.system
        if card is None or system is None:
            raise ValueError("a CPU is not a card")
        blocks = weights_blocks(
            model.weights_bytes, card, system.os, requested.weight_mode, self._transformers
        )
        return CardClip(
            profile=requested.profile,
            setting=setting_of(requested, target),
            mel_frames=mel_frames(requested.clip_seconds),
            prompt_tokens=model.prompt_tokens(requested),
            place=Place(cublas_workspace_bytes(card.compute_capability), blocks, self._measuring),
        )

    def _on_cpu(self, requested: Requested, target: Target) -> dict[int, Envelope]:
        setting, traced = setting_of(requested, target), self._traced
        frames, prompt = mel_frames(requested.clip_seconds), self._model.prompt_tokens(requested)
        key = (setting, frames, prompt)
        if key not in self._envelopes:
            from bench.predict.prediction import OnCpu, predict

            trace = traced.trace(setting, frames, prompt)
            self._workspace.prepare(trace.kernels)
            found = predict(
                trace,
                traced.memory(),
                OnCpu(self._workspace),
                mel_frames=frames,
                logits_positions=setting.logits_positions,
                max_tokens=self._max_tokens,
            )
            self._envelopes[key] = {
                tokens: envelope.model_copy(update={"attention_kernel": setting.kernel})
                for tokens, envelope in found.items()
            }
        return self._envelopes[key]

    def _ceiling(self, requested: Requested, card: Card) -> Ceiling:
        return ceiling(
            self._model.shapes,
            card,
            mel_frames=mel_frames(requested.clip_seconds),
            prompt_tokens=self._model.prompt_tokens(requested),
            max_tokens=requested.max_tokens,
            logits_positions=self._model.logits_positions(requested),
            element_bytes=self._model.element_bytes,
        )

    def _work(self, requested: Requested) -> Work:
        shapes, prompt = self._model.shapes, self._model.prompt_tokens(requested)
        return Work(
            decode_bytes_per_token=architecture.decode_bytes_per_token(
                shapes,
                prompt_tokens=prompt,
                generated_tokens=requested.max_tokens,
                element_bytes=self._model.element_bytes,
            ),
            encode_operations=architecture.encode_operations(shapes, mel_frames(requested.clip_seconds)),
            prefill_operations=architecture.prefill_operations(
                shapes, prompt_tokens=prompt, logits_positions=self._model.logits_positions(requested)
            ),
        )


def unsupported_reason(requested: Requested, target: Target, max_positions: int) -> UnsupportedReason | None:
    """Return the reason why such a device cannot run this cell; None if it can."""
    there = SupportFacts(target.info.kind, target.info.compute_capability, _ELSEWHERE, max_positions)
    return unsupported(requested, there)
