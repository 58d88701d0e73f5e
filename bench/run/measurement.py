"""Measures one cell: cold call, warm-up, timed repeats, and memory, in a pass of its own if it must be."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter

import torch

from bench.audio import clips
from bench.engines.flash_attention import or_not_observable
from bench.engines.interface import Engine, Generation, Request
from bench.errors import BenchError, ClipError
from bench.measure.clock import repeat_of, stopwatch
from bench.measure.kernels import KernelObserver
from bench.measure.observer import Observer, Together
from bench.measure.resident import Resident
from bench.measure.statistics import is_noisy
from bench.records.enums import Attention, Phase
from bench.records.record import Effective, Memory, PhaseMemory, Repeat, Requested, SubmoduleKernels, Work
from bench.run.memory_profiler import MemoryProfiler, Watched
from bench.run.protocol import Finished, Job, Span, Step
from bench.run.turns import Ask, at_once
from bench.suite.suite import Measure

Tell = Callable[[Step], None]


class CellRunner:
    """Runs cells of one group on one loaded model. `phase` says how far it is, also after a failure."""

    def __init__(
        self,
        engine: Engine,
        device: torch.device,
        audio: Path | None,
        tell: Tell,
        gauge: MemoryProfiler,
        *,
        weights_bytes: int,
        turn: Ask = at_once,
    ) -> None:
        self.phase: Phase | None = None
        self._engine = engine
        self._device = device
        self._tell = tell
        self._clip = clips.shipped_speech() if audio is None else clips.read_audio(audio)
        self._gauge = gauge
        self._turn = turn
        self._resident = Resident()
        self._expected_bytes = weights_bytes
        self._load: dict[Phase, PhaseMemory] = {}
        self._baseline = 0
        self._spans: list[Span] = []

    def run(self, job: Job) -> Finished:
        """Measure one cell; the first one loads the model and carries the cold call."""
        if job.requested.clip_source_sha256 != self._clip.sha256:
            raise ClipError("the audio file changed during the run")
        load_s = self._load_model(job.requested) if not self._load else None
        request = self._request(job.requested)
        self._gauge.begin_cell()
        cold = None
        if load_s is not None:
            self._tell(Step(name="cold"))
            self._turn()
            cold, _ = self._timed(request, job.requested.clip_seconds)
        self._gauge.before_warm_up()
        effective = self._warm_up(request, job)
        repeats, work = self._repeats(request, job.requested.clip_seconds, job.measure)
        watched = self._watched(request)
        memory = self._memory(watched.phases)
        self._tell(Step(name="report"))
        self._gauge.end_cell()
        return Finished(
            effective=effective,
            work=work,
            spans=tuple(self._spans),
            reserved_bytes=self._gauge.reserved(),
            load_s=load_s,
            cold=cold,
            repeats=repeats,
            memory=memory,
            memory_trace=watched.trace,
        )

    def _load_model(self, requested: Requested) -> float:
        self._tell(Step(name="load"))
        self.phase = Phase.LOAD
        self._baseline = self._resident.now()
        self._gauge.begin_load(self._expected_bytes)
        start = perf_counter()
        self._engine.load(requested)
        self._load[Phase.LOAD] = self._gauge.end_load()  # which waits for the last copy
        return perf_counter() - start

    def _weights_bytes(self) -> int:
        return sum(tensor.untyped_storage().nbytes() for tensor in self._engine.weights())

    def _request(self, requested: Requested) -> Request:
        return Request(
            samples=clips.cut(self._clip, requested.clip_seconds),
            prompt=requested.prompt,
            time_markers=requested.time_markers,
            max_tokens=requested.max_tokens,
            forced_length=True,
            sampling=requested.sampling,
            seed=requested.seed,
        )

    def _timed(self, request: Request, clip_seconds: float, *others: Observer) -> tuple[Repeat, Generation]:
        watch = stopwatch(self._device)
        # Others first: what they do at the begin of a phase is not in the phase that they begin.
        generation = self._generate(request, *others, watch)
        repeat = repeat_of(
            watch.read(), clip_seconds=clip_seconds, stopped_early=generation.stop_reason == "eos"
        )
        if repeat.generated_tokens != request.max_tokens:
            raise BenchError(
                f"{repeat.generated_tokens} tokens came out where {request.max_tokens} were forced"
            )
        return repeat, generation

    def _warm_up(self, request: Request, job: Job) -> Effective:
        self._tell(Step(name="warm-up"))
        kernels = KernelObserver()
        short = request.shortened(min(job.measure.warmup_tokens, request.max_tokens))
        self._turn()
        with kernels:
            generation = self._generate(short, kernels)
        settings = self._engine.settings()
        return Effective(
            device=self._device.type,
            dtype=settings.dtype,
            language_model=_language_model(kernels, job.requested.attention),
            audio_encoder=kernels.encoder(),
            attention_provider=settings.attention_provider,
            sampling=request.sampling,
            logits_positions=settings.logits_positions,
            encoder_chunk_frames=settings.encoder_chunk_frames,
            encoder_chunks_at_once=settings.encoder_chunks_at_once,
            mlp_positions_at_once=settings.mlp_positions_at_once,
            embeddings=settings.embeddings,
            kv_cache=generation.kv_cache,
            clip_sha256=clips.sha256_of(request.samples),
            clip_samples=len(request.samples),
            audio_tokens=generation.audio_tokens,
            prompt_tokens=generation.prompt_tokens,
            threads=torch.get_num_threads() if self._device.type == "cpu" else None,
        )

    def _repeats(
        self, request: Request, clip_seconds: float, measure: Measure
    ) -> tuple[tuple[Repeat, ...], Work]:
        repeats: list[Repeat] = []
        self._spans.clear()
        deadline: float | None = None
        while self._wants_more(repeats, measure, deadline):
            self._tell(
                Step(name="repeat", number=len(repeats) + 1, total=max(measure.repeats, len(repeats) + 1))
            )
            self._turn()
            begin = perf_counter()
            repeat, generation = self._timed(request, clip_seconds, *self._gauge.observers())
            self._spans.append(Span(begin_s=begin, end_s=perf_counter()))
            repeats.append(repeat)
            if len(repeats) == measure.repeats:
                deadline = perf_counter() + measure.cell_budget_s
        return tuple(repeats), self._engine.work(request, generation)

    @staticmethod
    def _wants_more(repeats: list[Repeat], measure: Measure, deadline: float | None) -> bool:
        if deadline is None:
            return True
        affordable = perf_counter() + repeats[-1].latency_s <= deadline
        return affordable and len(repeats) < measure.max_repeats and is_noisy(repeats, measure.noise_cv)

    def _watched(self, request: Request) -> Watched:
        if self._gauge.needs_a_pass:
            self._tell(Step(name="memory"))
            self._turn()
        return self._gauge.watched(partial(self._generate, request))

    def _memory(self, phases: dict[Phase, PhaseMemory]) -> Memory:
        return Memory(
            allocated_source=self._gauge.source,
            resident_source=self._resident.source,
            resident_baseline_bytes=self._baseline,
            weights_bytes=self._weights_bytes(),
            phases={**self._load, **phases},
            allocation_retries=self._gauge.retries(),
        )

    def _generate(self, request: Request, *observers: Observer) -> Generation:
        with self._gauge.around():
            return self._engine.generate(request, Together(_PhaseNow(self), *observers))


def _language_model(kernels: KernelObserver, asked: Attention) -> SubmoduleKernels:
    seen = kernels.language_model()
    return or_not_observable(seen) if asked is Attention.FLASH_ATTENTION_2 else seen


class _PhaseNow:
    """Keeps the runner's `phase`."""

    def __init__(self, runner: CellRunner) -> None:
        self._runner = runner

    def begin(self, phase: Phase) -> None:
        self._runner.phase = phase

    def token(self) -> None:
        pass

    def end(self) -> None:
        self._runner.phase = None
