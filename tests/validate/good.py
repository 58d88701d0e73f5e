"""Good records: consistent in every respect, as runs write them. Quick, and without torch.

What a run computes is computed here by the same code: cells, suite, repeats, summaries, work, sealing. Only
what a machine measures is made up: times from bandwidth and rate with seeded jitter, memory as predicted.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Final

import numpy as np

from bench.arithmetic import architecture
from bench.arithmetic.shapes import Shapes
from bench.audio.clip_hashes import shipped_clip_sha256
from bench.engines.native.profiles import settings_of
from bench.engines.support import prompt_positions
from bench.hardware.catalog import cards
from bench.judge.same_run import MEMORY, request_key
from bench.judge.same_system import os_of
from bench.measure.attention_operators import kernels_of
from bench.measure.clock import HostTimes, StopwatchReading, repeat_of
from bench.measure.summary import CellFigures, summarise
from bench.predict.setting import mel_frames
from bench.records.base import ByteInterval
from bench.records.card import DeviceMemory, DeviceState, Sampled
from bench.records.cell import (
    Attempt,
    CellResult,
    Effective,
    Measured,
    Memory,
    Outcome,
    OutOfMemory,
    PhaseMemory,
    Repeat,
    Requested,
    Work,
)
from bench.records.enums import Attention, Label, Phase, Profile, Provenance, WeightMode
from bench.records.prediction import PlannedSystem
from bench.records.reasons import (
    CellShape,
    DeviceRefused,
    EmulatedCardFull,
    FlashAttentionNeedsGpu,
    FlashAttentionNotInstalled,
    OutOfMemoryReason,
    SmallerRanOut,
    TimeLimitPassed,
    WorkerKilled,
    WorkerStep,
)
from bench.records.record import Record
from bench.run.run_spec import RunOptions
from bench.shipped import SPEECH_SHA256
from bench.store.journal import Header, PlannedCell, Progress, seal_progress
from bench.suite.cells import Cell, expand
from bench.suite.overrides import override, suite_info
from bench.suite.suite import find_suite
from bench.units import GIB, MIB
from bench.validate.prediction import stored_prediction
from bench.wording import outcomes
from tests.validate.machines import (
    CONTEXT_BYTES,
    RESERVE_BYTES,
    attention_of,
    device_of,
    emulation_of,
    environment_of,
    limit_of,
    model_name,
    model_of,
    needs_more,
    power_of,
    sha,
    shapes_named,
    state_of,
)
from tests.validate.recipes import Recipe

NOW: Final = datetime(2026, 12, 1, tzinfo=UTC)
UNUSED_BYTES: Final = 96 * MIB
"""Reserved by the allocator, and in no tensor."""
_ELEMENTS: Final = {"bfloat16": 2, "float16": 2, "float32": 4}


@cache
def good(recipe: Recipe) -> Record:
    """Return the record of a run."""
    return _Run(recipe).record()


class _Run:
    """One run as it goes."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.rng = np.random.default_rng(recipe.seed)
        self.card = next((card for card in cards() if card.slug == recipe.card), None)
        self.device = device_of(recipe, self.card)
        self.is_cuda = self.device.kind == "cuda"
        self.wddm = self.is_cuda and recipe.system != "linux"
        self.baseline = (610 if self.wddm else 4) * MIB
        base = find_suite(recipe.suite)
        if recipe.own:
            base = base.model_copy(update={"name": "mine", "title": "My own"})
        if recipe.dtype is not None:
            base = base.model_copy(update={"dtype": recipe.dtype})
        self.suite = override(
            base,
            model=model_name(recipe),
            profile=recipe.profile,
            clip_seconds=recipe.clips,
            max_tokens=recipe.tokens,
            attention=recipe.attention,
            repeats=1 if recipe.is_search else recipe.repeats,
        )
        self.info = suite_info(self.suite, base=base)
        if recipe.is_search:
            self._as_search()
        self.cells = expand(self.suite, weight_mode=recipe.weights, clip_source_sha256=SPEECH_SHA256)
        self.loaded: Attention | None = None
        self.full: list[Requested] = []

    def _as_search(self) -> None:
        """As `bench.run.frontier.frontier_plan` has it, which loads torch."""
        measure = self.suite.measure.model_copy(update={"max_repeats": 1})
        self.suite = self.suite.model_copy(update={"measure": measure})
        self.info = self.info.model_copy(
            update={
                "sha256": self.suite.sha256,
                "definition": self.suite.model_dump(mode="json"),
                "overrides": (*self.info.overrides, "max_repeats"),
            }
        )

    @cached_property
    def shapes(self) -> Shapes:
        """Of the tiny model nothing is known without torch: those of the smallest released one serve."""
        return shapes_named(self.recipe.model)

    @property
    def element_bytes(self) -> int:
        return _ELEMENTS[self.suite.dtype]

    @cached_property
    def parameters(self) -> int:
        tiny = self.recipe.weights is WeightMode.TINY
        return 1_724_000 if tiny else architecture.parameters(self.shapes).total

    # --- the record ---------------------------------------------------------------------------------------

    def record(self) -> Record:
        recipe = self.recipe
        tiny = recipe.weights is WeightMode.TINY
        provenance = Provenance.SMOKE if tiny else Provenance.MEASURED
        planned = () if recipe.is_search else self.cells
        header = Header(
            record_id=sha(recipe.name)[:12],
            created_at=datetime(2026, 11, 20, 18, 4, 9, tzinfo=UTC),
            provenance=Provenance.EMULATED if recipe.emulated_bytes else provenance,
            suite=self.info,
            model=model_of(recipe, self.parameters, self.element_bytes),
            device=self.device,
            environment=environment_of(recipe),
            machine_key=None,
            device_state=state_of(recipe, self.device, self.baseline, limit_of(self.card))
            if self.is_cuda
            else None,
            emulation=emulation_of(recipe, self.device),
            frontier_step_s=5.0 if recipe.is_search else None,
            plan=tuple(PlannedCell(cell_id=cell.cell_id, requested=cell.requested) for cell in planned),
        )
        return seal_progress(Progress(header, tuple(self._results())))

    def _state(self) -> DeviceState | None:
        if not self.is_cuda:
            return None
        return state_of(self.recipe, self.device, self.baseline, limit_of(self.card))

    def _results(self) -> Iterator[CellResult]:
        ends = dict(self.recipe.ends)
        for place, cell in enumerate(self.cells[: self.recipe.done]):
            result = self._result(cell, ends.get(place, ""))
            if ends.get(place) == "retried":
                attempt = Attempt(outcome=outcomes.failed(WorkerKilled(signal="SIGKILL", during=None)))
                result = result.model_copy(update={"earlier_attempts": (attempt,)})
            yield result

    def _result(self, cell: Cell, end: str) -> CellResult:
        outcome = self._without_figures(cell.requested, end)
        if outcome is not None:
            memory = None if outcome.status in {"unsupported", "skipped"} else self._seen(10.0, 9 * GIB)
            return CellResult(
                cell_id=cell.cell_id, requested=cell.requested, outcome=outcome, device_memory=memory
            )
        return self._measured(cell)

    def _without_figures(self, asked: Requested, end: str) -> Outcome | None:
        step = WorkerStep(name="repeat", number=2, total=3)
        if asked.attention is Attention.FLASH_ATTENTION_2 and not self.is_cuda:
            return outcomes.unsupported(FlashAttentionNeedsGpu())
        if asked.attention is Attention.FLASH_ATTENTION_2 and not self.recipe.has_flash:
            return outcomes.unsupported(FlashAttentionNotInstalled())
        smaller = next((full for full in self.full if needs_more(asked, full)), None)
        if smaller is not None:
            shape = CellShape(clip_seconds=smaller.clip_seconds, max_tokens=smaller.max_tokens)
            return outcomes.skipped(SmallerRanOut(smaller=shape))
        if end == "killed":
            return outcomes.failed(WorkerKilled(signal="SIGSEGV", during=step), phase=Phase.DECODE)
        if end == "timeout":
            return outcomes.timeout(TimeLimitPassed(limit_s=self.suite.measure.cell_limit_s, during=step))
        return self._ran_out(asked)

    def _ran_out(self, asked: Requested) -> OutOfMemory | None:
        """Nothing runs out under Windows: the rest goes to system memory."""
        limit = self.recipe.emulated_bytes
        if limit is None and (not self.is_cuda or self.wddm):
            return None
        total = limit if limit is not None else self.device.memory_total_bytes or 0
        free = total - self.baseline - RESERVE_BYTES - CONTEXT_BYTES - self.allocated(asked)
        if free >= 0:
            return None
        self.full.append(asked)
        left = 90 * MIB
        why: OutOfMemoryReason = DeviceRefused(error="CUDA out of memory. Tried to allocate 1.21 GiB")
        if limit is not None:
            why = EmulatedCardFull(requested_bytes=-free, free_bytes=left, limit_bytes=limit)
        return outcomes.out_of_memory(why, phase=Phase.PREFILL, requested_bytes=-free, free_bytes=left)

    # --- what was measured --------------------------------------------------------------------------------

    def _measured(self, cell: Cell) -> CellResult:
        asked, recipe = cell.requested, self.recipe
        fresh = self.loaded is not asked.attention
        self.loaded = asked.attention
        noisy = recipe.state == "noisy"
        count = self.suite.measure.max_repeats if noisy else self.suite.measure.repeats
        effective, work = self._effective(asked), self._work(asked)
        repeats = tuple(self._repeat(asked, work, 0.12 if noisy else 0.004) for _ in range(count))
        took_s = sum(repeat.latency_s for repeat in repeats)
        memory, seen = self._memory(asked), self._seen(took_s, self.allocated(asked))
        power = (
            power_of(recipe, limit_of(self.card), repeats, self.rng)
            if self.is_cuda and recipe.has_power
            else None
        )
        labels = {"contended": (Label.CONTENDED,), "throttled": (Label.THROTTLED,)}.get(recipe.state, ())
        figures = CellFigures(
            repeats=repeats,
            clip_seconds=asked.clip_seconds,
            noise_cv=self.suite.measure.noise_cv,
            load_s=float(self.rng.uniform(2, 9)) if fresh else None,
            memory=memory,
            work=work,
            device=self.device,
            device_memory=seen,
            power=power,
            labels=tuple(label.value for label in labels),
            spills_from_bytes=self._free() if self.wddm else None,
        )
        return CellResult(
            cell_id=cell.cell_id,
            requested=asked,
            effective=effective,
            outcome=Measured(),
            cold=self._repeat(asked, work, 0.004, slow=1.4) if fresh else None,
            repeats=repeats,
            summary=summarise(figures),
            memory=memory,
            device_memory=seen,
            power=power,
            work=work,
        )

    def _effective(self, asked: Requested) -> Effective:
        settings = settings_of(asked.profile)
        samples = round(asked.clip_seconds * 16000)
        language_model, grouping = attention_of(asked, self.device, self.recipe.system)
        return Effective(
            device=self.device.kind,
            dtype=asked.dtype,
            language_model=language_model,
            audio_encoder=kernels_of(["aten::_softmax"]),
            attention_provider="torch 2.13.0",
            sampling=asked.sampling,
            logits_positions=settings.logits_positions,
            encoder_chunk_frames=400,
            encoder_chunks_at_once=settings.encoder_chunks_at_once or 64,
            mlp_positions_at_once=settings.mlp_positions_at_once,
            embeddings=settings.embeddings if self.is_cuda else "device",
            sdpa_grouping=grouping,
            kv_cache="DynamicCache",
            clip_sha256=shipped_clip_sha256(samples) or sha(f"clip {samples}"),
            clip_samples=samples,
            audio_tokens=architecture.audio_tokens(mel_frames(asked.clip_seconds)),
            prompt_tokens=prompt_positions(asked.clip_seconds),
            threads=None if self.is_cuda else 8,
        )

    def _work(self, asked: Requested) -> Work:
        prompt, positions = prompt_positions(asked.clip_seconds), settings_of(asked.profile).logits_positions
        return Work(
            decode_bytes_per_token=architecture.decode_bytes_per_token(
                self.shapes,
                prompt_tokens=prompt,
                generated_tokens=asked.max_tokens,
                element_bytes=self.element_bytes,
            ),
            encode_operations=architecture.encode_operations(self.shapes, mel_frames(asked.clip_seconds)),
            prefill_operations=architecture.prefill_operations(
                self.shapes, prompt_tokens=prompt, logits_positions=prompt if positions == "all" else 1
            ),
        )

    def _repeat(self, asked: Requested, work: Work, spread: float, slow: float = 1.0) -> Repeat:
        """One generation, as the stopwatch would have read it."""
        rate, bandwidth = (9e13, 6e11) if self.is_cuda else (9e11, 4e10)
        rate, bandwidth = (
            0.45 * (self.device.bf16_operations_per_s or rate),
            0.75 * (self.device.memory_bandwidth_bytes_per_s or bandwidth),
        )
        pace = (
            slow * self.recipe.pace * float(np.exp(abs(self.rng.normal(0, spread))))
        )  # others only slow a card down
        begin = (0.004 + 0.0011 * asked.clip_seconds) * pace
        prefill = begin + work.encode_operations / rate * pace
        first = prefill + (0.012 + work.prefill_operations / rate) * pace
        step = work.decode_bytes_per_token / bandwidth * pace
        steps = step * self.rng.normal(1, 0.02, asked.max_tokens - 1)
        tokens = (first, *(first + np.cumsum(steps)).tolist())
        begins = {Phase.PREPROCESS: 0.0, Phase.ENCODE: begin, Phase.PREFILL: prefill, Phase.DECODE: first}
        host = HostTimes(tokens[0] + 2e-5, tokens[-1] + 7e-5) if self.is_cuda else None
        return repeat_of(
            StopwatchReading(begins, tokens, host),
            generated_tokens=asked.max_tokens,
            clip_seconds=asked.clip_seconds,
            stopped_early=False,
        )

    # --- memory -------------------------------------------------------------------------------------------

    @property
    def weights_bytes(self) -> int:
        return self.parameters * self.element_bytes

    @cached_property
    def predicted(self) -> Mapping[tuple[object, ...], ByteInterval]:
        """What the allocator is predicted to hold, by the settings of a cell; empty without a prediction."""
        axes = self.suite.axes
        options = RunOptions(
            model=self.recipe.model,
            profile=self.suite.profile,
            clip_seconds=axes.clip_seconds,
            max_tokens=axes.max_tokens,
            attention=axes.attention,
        )
        system = PlannedSystem(os=os_of(environment_of(self.recipe).kernel), torch="2.13")
        record = stored_prediction(options, self.device.slug, system)
        return {
            request_key(MEMORY, cell.requested): cell.envelope.reserved_peak_bytes
            for cell in (() if record is None else record.cells)
            if cell.envelope is not None and cell.envelope.reserved_peak_bytes is not None
        }

    def allocated(self, asked: Requested) -> int:
        """Return the most that the framework holds in tensors: by the prediction, where there is one."""
        predicted = self.predicted.get(request_key(MEMORY, asked))
        if predicted is not None:
            return (predicted.low + predicted.high) // 2 - UNUSED_BYTES
        text = self.shapes.language_config
        lean = asked.profile is Profile.LEAN
        table = text.vocab_size * text.hidden_size * self.element_bytes if lean and self.is_cuda else 0
        logits = 0 if lean else prompt_positions(asked.clip_seconds) * text.vocab_size * self.element_bytes
        cache = architecture.kv_cache_bytes(
            text, prompt_positions(asked.clip_seconds) + asked.max_tokens, self.element_bytes
        )
        return round(self.weights_bytes - table + 140 * MIB + logits + cache)

    def _memory(self, asked: Requested) -> Memory:
        most = self.allocated(asked)

        def phase(share: float) -> PhaseMemory:
            at = most - round(100 * MIB * (1 - share))
            held = at + UNUSED_BYTES
            return PhaseMemory(
                allocated_peak_bytes=at,
                allocated_end_bytes=at - MIB,
                reserved_peak_bytes=held if self.is_cuda else None,
                resident_peak_bytes=None if self.is_cuda else at + 700 * MIB,
                resident_end_bytes=None if self.is_cuda else at + 600 * MIB,
            )

        shares = {Phase.PREPROCESS: 0.0, Phase.ENCODE: 0.6, Phase.PREFILL: 1.0, Phase.DECODE: 0.3}
        loading = PhaseMemory(allocated_peak_bytes=self.weights_bytes + 30 * MIB)
        return Memory(
            allocated_source="CUDA caching allocator" if self.is_cuda else "allocation tracker",
            resident_source=None if self.is_cuda else "VmHWM",
            resident_baseline_bytes=None if self.is_cuda else 480 * MIB,
            weights_bytes=self.weights_bytes,
            phases={Phase.LOAD: loading, **{name: phase(share) for name, share in shares.items()}},
        )

    def _seen(self, took_s: float, allocated: int) -> DeviceMemory | None:
        if not self.is_cuda:
            return None
        process, total = allocated + UNUSED_BYTES + CONTEXT_BYTES, self.device.memory_total_bytes or 2**63
        contended = self.recipe.state == "contended"
        device = process + self.baseline + (400 * MIB if contended else 0)
        return DeviceMemory(
            source="NVML memory v2",
            sampler=Sampled(period_s=0.02, samples=round(1.9 * took_s / 0.02) + 3, largest_gap_s=0.043),
            baseline_bytes=self.baseline,
            device_peak_bytes=min(device, total - 60 * MIB),
            process_peak_bytes=None if self.wddm else process,
            context_bytes=CONTEXT_BYTES,
            context_source="device" if self.wddm else "process",
            residue_bytes=None,
            back_at_baseline=None,
            waited_s=None,
            contended=None if self.recipe.system == "wsl2" and not contended else contended,
        )

    def _free(self) -> int:
        return (self.device.memory_total_bytes or 0) - self.baseline - RESERVE_BYTES


@cache
def ordinary() -> Record:
    """A record of an RTX 4090 with four cells: what the tests of single rules change."""
    return good(Recipe(card="rtx-4090", clips=(10.0, 60.0), tokens=(16, 32), attention=(Attention.SDPA,)))
