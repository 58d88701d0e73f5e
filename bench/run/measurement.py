"""Measures one cell: cold call, warm-up, timed repeats, and memory (in an extra pass if counting is slow)."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter

from bench.audio import clips
from bench.engines.interface import Generation, OpenEngine, ProfiledMemory, Request
from bench.errors import BenchError, ClipError
from bench.measure.clock import repeat_of
from bench.measure.observer import CombinedObserver, Observer
from bench.measure.statistics import is_noisy
from bench.records.cell import Effective, Repeat, Requested, SubmoduleKernels, Work
from bench.records.enums import Attention, Phase
from bench.run.protocol import Finished, Job, Span, Step
from bench.run.turns import Ask, at_once
from bench.suite.challenge import PIECE_SAMPLES, excerpt_starts
from bench.suite.suite import Measure


class CellRunner:
    """Runs the cells of one group on one loaded model. `phase` is the current one, or that of a failure."""

    def __init__(
        self,
        opened: OpenEngine,
        audio: Path | None,
        report_step: Callable[[Step], None],
        *,
        turn: Ask = at_once,
    ) -> None:
        self.phase: Phase | None = None
        self._engine = opened.engine
        self._memory = opened.memory
        self._stopwatch = opened.stopwatch
        self._kernels = opened.kernels
        self._report_step = report_step
        self._clip = clips.shipped_speech() if audio is None else clips.read_audio(audio)
        self._turn = turn
        self._loaded = False
        self._spans: list[Span] = []

    def run(self, job: Job) -> Finished:
        """Measure one cell; the first one also loads the model and has the cold call."""
        if job.nonce is not None:
            return self._answer(job, job.nonce)
        if job.requested.clip_source_sha256 != self._clip.sha256:
            raise ClipError("the audio file changed during the run")
        load_s = self._load_model(job.requested) if not self._loaded else None
        request = self._request(job.requested, clips.cut(self._clip, job.requested.clip_seconds))
        self._memory.begin_cell()
        cold = None
        if load_s is not None:
            self._report_step(Step(name="cold"))
            self._turn()
            cold, _ = self._timed(request, job.requested.clip_seconds)
        self._memory.before_warm_up()
        effective = self._warm_up(request, job)
        repeats, work = self._repeats(request, job.requested.clip_seconds, job.measure)
        profiled = self._profiled(request)
        self._report_step(Step(name="report"))
        self._memory.end_cell()
        return Finished(
            effective=effective,
            work=work,
            spans=tuple(self._spans),
            reserved_bytes=self._memory.reserved_bytes(),
            load_s=load_s,
            cold=cold,
            repeats=repeats,
            memory=profiled.memory,
            memory_trace=profiled.trace,
        )

    def _answer(self, job: Job, nonce: str) -> Finished:
        """Answer the challenge of a nonce once; nothing is timed."""
        excerpt = clips.excerpt(excerpt_starts(nonce), PIECE_SAMPLES)
        if job.requested.clip_source_sha256 != clips.sha256_of(excerpt):
            raise ClipError("the excerpt is not that of the challenge")
        load_s = self._load_model(job.requested) if not self._loaded else None
        request = self._request(job.requested, excerpt)
        self._memory.begin_cell()
        self._memory.before_warm_up()
        effective = self._warm_up(request, job)
        self._report_step(Step(name="repeat"))
        self._turn()
        generation = self._generate(request)
        self._memory.end_cell()
        if generation.token_ids is None:
            raise BenchError(f"the engine {job.requested.engine} does not give the ids of its tokens")
        return Finished(
            effective=effective,
            work=None,
            spans=(),
            reserved_bytes=self._memory.reserved_bytes(),
            load_s=load_s,
            cold=None,
            repeats=(),
            memory=None,
            token_ids=generation.token_ids,
        )

    def _load_model(self, requested: Requested) -> float:
        self._report_step(Step(name="load"))
        self.phase = Phase.LOAD
        self._memory.begin_load()
        start = perf_counter()
        self._engine.load(requested)
        self._memory.end_load()  # waits for the last copy
        self._loaded = True
        return perf_counter() - start

    @staticmethod
    def _request(requested: Requested, samples: clips.Samples) -> Request:
        return Request(
            samples=samples,
            prompt=requested.prompt,
            time_markers=requested.time_markers,
            max_tokens=requested.max_tokens,
            forced_length=True,
            sampling=requested.sampling,
            seed=requested.seed,
        )

    def _timed(self, request: Request, clip_seconds: float, *others: Observer) -> tuple[Repeat, Generation]:
        watch = self._stopwatch()
        # Others first: then their work at the begin of a phase is not timed as part of it.
        generation = self._generate(request, *others, watch)
        if generation.generated_tokens != request.max_tokens:
            raise BenchError(
                f"{generation.generated_tokens} tokens were generated where {request.max_tokens} were forced"
            )
        repeat = repeat_of(
            watch.read(),
            generated_tokens=generation.generated_tokens,
            clip_seconds=clip_seconds,
            stopped_early=generation.stop_reason == "eos",
        )
        return repeat, generation

    def _warm_up(self, request: Request, job: Job) -> Effective:
        self._report_step(Step(name="warm-up"))
        short = request.shortened(min(job.measure.warmup_tokens, request.max_tokens))
        self._turn()
        generation, language_model, audio_encoder = self._observed(short, job.requested.attention)
        settings = self._engine.settings()
        return Effective(
            device=settings.device,
            dtype=settings.dtype,
            language_model=language_model,
            audio_encoder=audio_encoder,
            attention_provider=settings.attention_provider,
            sampling=request.sampling,
            logits_positions=settings.logits_positions,
            encoder_chunk_frames=settings.encoder_chunk_frames,
            encoder_chunks_at_once=settings.encoder_chunks_at_once,
            mlp_positions_at_once=settings.mlp_positions_at_once,
            embeddings=settings.embeddings,
            sdpa_grouping=settings.sdpa_grouping,
            kv_cache=generation.kv_cache,
            clip_sha256=clips.sha256_of(request.samples),
            clip_samples=len(request.samples),
            audio_tokens=generation.audio_tokens,
            prompt_tokens=generation.prompt_tokens,
            threads=settings.threads,
        )

    def _observed(
        self, request: Request, asked: Attention
    ) -> tuple[Generation, SubmoduleKernels | None, SubmoduleKernels | None]:
        """Return an answer, and the kernels of language model and encoder (None if not observable)."""
        if self._kernels is None:
            return self._generate(request), None, None
        kernels = self._kernels(asked)
        with kernels:
            generation = self._generate(request, kernels)
        return generation, kernels.language_model(), kernels.encoder()

    def _repeats(
        self, request: Request, clip_seconds: float, measure: Measure
    ) -> tuple[tuple[Repeat, ...], Work | None]:
        repeats: list[Repeat] = []
        self._spans.clear()
        deadline: float | None = None
        while self._wants_more(repeats, measure, deadline):
            self._report_step(
                Step(name="repeat", number=len(repeats) + 1, total=max(measure.repeats, len(repeats) + 1))
            )
            self._turn()
            begin = perf_counter()
            repeat, generation = self._timed(request, clip_seconds, *self._memory.observers())
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

    def _profiled(self, request: Request) -> ProfiledMemory:
        if self._memory.needs_a_pass:
            self._report_step(Step(name="memory"))
            self._turn()
        return self._memory.profile(partial(self._generate, request))

    def _generate(self, request: Request, *observers: Observer) -> Generation:
        with self._memory.around():
            return self._engine.generate(request, CombinedObserver(_PhaseNow(self), *observers))


class _PhaseNow:
    """An observer that keeps the runner's `phase`."""

    def __init__(self, runner: CellRunner) -> None:
        self._runner = runner

    def begin(self, phase: Phase) -> None:
        self._runner.phase = phase

    def token(self) -> None:
        pass

    def end(self) -> None:
        self._runner.phase = None
