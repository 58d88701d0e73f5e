"""Measures one cell: cold call, warm-up, timed repeats, and a pass of its own for memory."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import torch

from bench import clips
from bench.engines.interface import Engine, Generation, Request
from bench.errors import BenchError, ClipError
from bench.measure.clock import repeat_of, stopwatch
from bench.measure.kernels import KernelObserver
from bench.measure.memory import Allocated, AllocationTracker, CudaAllocated, MemoryWatch, Resident
from bench.measure.observer import Observer, Together
from bench.measure.statistics import is_noisy
from bench.records.schema import Effective, Memory, PhaseMemory, Repeat, Requested
from bench.records.words import Phase
from bench.run.protocol import Finished, Job, Span, Step
from bench.suite import Measure

Tell = Callable[[Step], None]


class CellRunner:
    """Runs cells of one group on one loaded model. `phase` says how far it is, also after a failure."""

    def __init__(self, engine: Engine, device: torch.device, audio: Path | None, tell: Tell) -> None:
        self.phase: Phase | None = None
        self._engine = engine
        self._device = device
        self._tell = tell
        self._clip = clips.shipped_speech() if audio is None else clips.read_audio(audio)
        self._resident = Resident()
        self._load: dict[Phase, PhaseMemory] = {}
        self._baseline = 0
        self._spans: list[Span] = []

    def run(self, job: Job) -> Finished:
        """Measure one cell; the first one loads the model and carries the cold call."""
        if job.requested.clip_source_sha256 != self._clip.sha256:
            raise ClipError("the audio file changed during the run")
        load_s = self._load_model(job.requested) if not self._load else None
        request = self._request(job.requested)
        cold = None
        if load_s is not None:
            self._tell(Step(name="cold"))
            cold = self._timed(request, job.requested.clip_seconds)
        effective = self._warm_up(request, job)
        repeats = self._repeats(request, job.requested.clip_seconds, job.measure)
        self._tell(Step(name="memory"))
        memory = self._memory(request)
        self._tell(Step(name="report"))
        return Finished(
            effective=effective,
            work=None,
            spans=tuple(self._spans),
            reserved_bytes=None,
            load_s=load_s,
            cold=cold,
            repeats=repeats,
            memory=memory,
        )

    def _load_model(self, requested: Requested) -> float:
        self._tell(Step(name="load"))
        self.phase = Phase.LOAD
        self._baseline = self._resident.now()
        self._resident.begin()
        counters = CudaAllocated(self._device) if self._device.type == "cuda" else None
        start = perf_counter()
        self._engine.load(requested)
        if counters is not None:
            torch.cuda.synchronize(self._device)
        took = perf_counter() - start
        # On the CPU loaders fill memory from threads of their own, where nothing can count it.
        self._load[Phase.LOAD] = PhaseMemory(
            allocated_peak_bytes=counters.peak() if counters else None,
            allocated_end_bytes=counters.now() if counters else self._weights_bytes(),
            reserved_peak_bytes=counters.reserved_peak() if counters else None,
            resident_peak_bytes=self._resident.peak(),
            resident_end_bytes=self._resident.now(),
        )
        return took

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

    def _timed(self, request: Request, clip_seconds: float) -> Repeat:
        watch = stopwatch(self._device)
        generation = self._generate(request, watch)
        repeat = repeat_of(
            watch.read(), clip_seconds=clip_seconds, stopped_early=generation.stop_reason == "eos"
        )
        if repeat.generated_tokens != request.max_tokens:
            raise BenchError(
                f"{repeat.generated_tokens} tokens came out where {request.max_tokens} were forced"
            )
        return repeat

    def _warm_up(self, request: Request, job: Job) -> Effective:
        self._tell(Step(name="warm-up"))
        kernels = KernelObserver()
        short = request.shortened(min(job.measure.warmup_tokens, request.max_tokens))
        with kernels:
            generation = self._generate(short, kernels)
        settings = self._engine.settings()
        return Effective(
            device=self._device.type,
            dtype=settings.dtype,
            language_model=kernels.language_model(),
            audio_encoder=kernels.encoder(),
            attention_provider=settings.attention_provider,
            sampling=request.sampling,
            logits_positions=settings.logits_positions,
            encoder_chunk_frames=settings.encoder_chunk_frames,
            encoder_chunks_at_once=settings.encoder_chunks_at_once,
            kv_cache=generation.kv_cache,
            clip_sha256=clips.sha256_of(request.samples),
            clip_samples=len(request.samples),
            audio_tokens=generation.audio_tokens,
            prompt_tokens=generation.prompt_tokens,
            threads=torch.get_num_threads() if self._device.type == "cpu" else None,
        )

    def _repeats(self, request: Request, clip_seconds: float, measure: Measure) -> tuple[Repeat, ...]:
        repeats: list[Repeat] = []
        self._spans.clear()
        deadline: float | None = None
        while self._wants_more(repeats, measure, deadline):
            self._tell(
                Step(name="repeat", number=len(repeats) + 1, total=max(measure.repeats, len(repeats) + 1))
            )
            begin = perf_counter()
            repeats.append(self._timed(request, clip_seconds))
            self._spans.append(Span(begin_s=begin, end_s=perf_counter()))
            if len(repeats) == measure.repeats:
                deadline = perf_counter() + measure.cell_budget_s
        return tuple(repeats)

    @staticmethod
    def _wants_more(repeats: list[Repeat], measure: Measure, deadline: float | None) -> bool:
        if deadline is None:
            return True
        affordable = perf_counter() + repeats[-1].latency_s <= deadline
        return affordable and len(repeats) < measure.max_repeats and is_noisy(repeats, measure.noise_cv)

    def _memory(self, request: Request) -> Memory:
        if self._device.type == "cuda":
            counters = CudaAllocated(self._device)
            counters.give_back()
            return self._watched(request, counters)
        tracker = AllocationTracker()
        for tensor in (*self._engine.weights(), *self._engine.buffers()):
            tracker.adopt(tensor)
        with tracker:
            return self._watched(request, tracker)

    def _watched(self, request: Request, allocated: Allocated) -> Memory:
        watch = MemoryWatch(allocated, self._resident)
        self._generate(request, watch)
        return Memory(
            allocated_source=allocated.source,
            resident_source=self._resident.source,
            resident_baseline_bytes=self._baseline,
            weights_bytes=self._weights_bytes(),
            phases={**self._load, **watch.phases},
        )

    def _generate(self, request: Request, observer: Observer) -> Generation:
        return self._engine.generate(request, Together(_PhaseNow(self), observer))


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
