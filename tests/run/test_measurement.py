"""Cells measured in this process: what a limit lets through, and what a cell holds."""

from collections.abc import Callable
from functools import cache
from itertools import pairwise

import pytest
import torch

from bench.audio import clips
from bench.engines.interface import EngineSetup, ModelSource, OpenEngine
from bench.engines.registry import find_engine
from bench.errors import BenchError
from bench.measure.timeline import MOST
from bench.measure.tracker import EmulatedMemoryError
from bench.records.cell import Memory, MemoryTrace
from bench.records.enums import Phase, WeightMode
from bench.run.measurement import CellRunner
from bench.run.protocol import Finished, Job, Step
from bench.suite.cells import expand
from bench.suite.suite import read_suite
from bench.weights.tiny import write_tiny_checkpoint
from tests.run.processes import write_suite

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> ModelSource:
    directory = tmp_path_factory.mktemp("models") / "my-model"
    write_tiny_checkpoint(directory)
    return ModelSource(name="my-model", weight_mode=WeightMode.LOCAL, directory=directory)


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> dict[float, Job]:
    """One cell per clip length, by that."""
    suite = read_suite(write_suite(tmp_path_factory.mktemp("suite"), clips="[1, 5, 12]", tokens="[4]"))
    sound = clips.shipped_speech().sha256
    cells = expand(suite, weight_mode=WeightMode.LOCAL, clip_source_sha256=sound)
    return {
        cell.requested.clip_seconds: Job(requested=cell.requested, measure=suite.measure) for cell in cells
    }


def opened(source: ModelSource, limit_bytes: int | None = None) -> OpenEngine:
    setup = EngineSetup(source=source, device="cpu", dtype="float32", memory_limit_bytes=limit_bytes)
    return find_engine("native").open(setup)


def runner(source: ModelSource, limit_bytes: int | None, steps: list[Step] | None = None) -> CellRunner:
    return CellRunner(
        opened(source, limit_bytes), None, steps.append if steps is not None else lambda _: None
    )


@pytest.fixture(scope="module")
def unlimited(source: ModelSource, jobs: dict[float, Job]) -> Callable[[float], Finished]:
    """The cell of a clip length, measured once without a limit."""
    return cache(lambda clip_s: runner(source, None).run(jobs[clip_s]))


def weights_of(source: ModelSource) -> int:
    weights = opened(source).facts.weights_bytes
    assert weights is not None
    return weights


def memory_of(finished: Finished) -> Memory:
    assert finished.memory is not None
    return finished.memory


def peak(finished: Finished) -> int:
    phases = memory_of(finished).phases
    return max(phases[phase].allocated_peak_bytes or 0 for phase in phases if phase is not Phase.LOAD)


def highest(trace: MemoryTrace) -> dict[Phase, int]:
    """Most of each phase, as a reader of the record would take it from the course."""
    ends = [*list(trace.phases.values())[1:], trace.end_s]
    return {
        phase: max(
            high for at, high in zip(trace.times_s, trace.high_bytes, strict=True) if begin <= at < end
        )
        for (phase, begin), end in zip(trace.phases.items(), ends, strict=True)
    }


def test_every_generation_waits_for_its_turn(source: ModelSource, jobs: dict[float, Job]) -> None:
    said: list[str] = []

    def turn() -> None:
        said.append("turn")

    def report_step(step: Step) -> None:
        said.append(step.name)

    CellRunner(opened(source), None, report_step, turn=turn).run(jobs[1.0])
    asked = [before for before, now in pairwise(said) if now == "turn"]
    assert asked == ["cold", "warm-up", "repeat", "memory"]
    assert said.count("turn") == len(asked)


@pytest.mark.parametrize("limit", [None, 2**40])
@pytest.mark.parametrize("clip_s", [1.0, 12.0])
def test_the_course_over_the_pass_for_memory_holds_the_peak_of_each_phase(
    clip_s: float,
    limit: int | None,
    source: ModelSource,
    jobs: dict[float, Job],
    unlimited: Callable[[float], Finished],
) -> None:
    finished = unlimited(clip_s) if limit is None else runner(source, limit).run(jobs[clip_s])
    trace, phases = finished.memory_trace, memory_of(finished).phases
    assert trace is not None
    assert trace.what == "allocated"
    assert trace.source == memory_of(finished).allocated_source
    assert list(trace.phases) == [Phase.PREPROCESS, Phase.ENCODE, Phase.PREFILL, Phase.DECODE]
    assert highest(trace) == {phase: phases[phase].allocated_peak_bytes for phase in trace.phases}
    assert min(trace.low_bytes) >= memory_of(finished).weights_bytes
    assert trace.times_s[0] == 0
    assert 4 < len(trace.times_s) <= MOST
    assert trace.end_s > trace.times_s[-1]


@pytest.mark.parametrize("clip_s", [1.0, 12.0])
def test_the_measured_peak_is_enough_and_a_byte_less_is_not(
    clip_s: float, source: ModelSource, jobs: dict[float, Job], unlimited: Callable[[float], Finished]
) -> None:
    """In every generation: the cold one, the warm-up, the timed ones."""
    needed = peak(unlimited(clip_s))
    assert peak(runner(source, needed).run(jobs[clip_s])) == needed
    too_small = runner(source, needed - 1)
    with pytest.raises(EmulatedMemoryError) as raised:
        too_small.run(jobs[clip_s])
    assert too_small.phase in set(Phase) - {Phase.LOAD}
    full = raised.value.reason
    assert full.requested_bytes > full.free_bytes
    assert full.limit_bytes == needed - 1


def test_cell_after_cell_nothing_is_left_behind_under_a_limit(
    source: ModelSource, jobs: dict[float, Job], unlimited: Callable[[float], Finished]
) -> None:
    needed = peak(unlimited(5.0))
    limited = runner(source, needed)
    for clip_s in (1.0, 5.0, 5.0):
        limited.run(jobs[clip_s])


def test_weights_beyond_the_limit_fail_in_load_before_they_are_loaded(
    source: ModelSource, jobs: dict[float, Job]
) -> None:
    weights = weights_of(source)
    limited = opened(source, weights - 1)
    small = CellRunner(limited, None, lambda _: None)
    with pytest.raises(EmulatedMemoryError):
        small.run(jobs[1.0])
    assert small.phase is Phase.LOAD
    with pytest.raises(BenchError, match="before it was loaded"):
        limited.engine.settings()


def test_what_the_model_keeps_beside_its_weights_counts_in_load_too(
    source: ModelSource, jobs: dict[float, Job]
) -> None:
    """The rotary frequencies, which no checkpoint holds."""
    small = runner(source, weights_of(source))
    with pytest.raises(EmulatedMemoryError):
        small.run(jobs[1.0])
    assert small.phase is Phase.LOAD


def test_a_cell_on_a_cpu_has_a_pass_for_memory_and_no_cuda_figures(
    source: ModelSource, jobs: dict[float, Job]
) -> None:
    steps: list[Step] = []
    finished = runner(source, None, steps).run(jobs[1.0])
    assert [step.name for step in steps] == ["load", "cold", "warm-up", "repeat", "memory", "report"]
    assert memory_of(finished).allocated_source.startswith("allocation tracker")
    assert memory_of(finished).allocation_retries is None
    assert finished.reserved_bytes is None
    assert {phase.reserved_peak_bytes for phase in memory_of(finished).phases.values()} == {None}
    assert {repeat.host_latency_s for repeat in finished.repeats} == {None}
    assert finished.work is not None
    assert finished.work.prefill_operations > finished.work.encode_operations > 0
    (span,) = finished.spans
    assert span.end_s - span.begin_s >= finished.repeats[0].latency_s
