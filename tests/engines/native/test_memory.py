"""Memory of the native engine where an allocator counts by itself."""

from dataclasses import replace
from pathlib import Path

from bench.audio import clips
from bench.engines.interface import EngineSetup, ModelSource, OpenEngine
from bench.engines.native.engine import NativeEngine
from bench.engines.native.memory import CudaMemory
from bench.engines.registry import find_engine
from bench.measure.memory import Counts
from bench.records.enums import Phase, WeightMode
from bench.run.measurement import CellRunner
from bench.run.protocol import Job, Step
from bench.suite.cells import expand
from bench.suite.suite import read_suite
from tests.run.processes import write_suite


def tiny(folder: Path) -> OpenEngine:
    source = ModelSource(name="tiny", weight_mode=WeightMode.TINY, directory=folder / "tiny")
    return find_engine("native").open(EngineSetup(source=source, device="cpu", dtype="float32"))


def one_cell(folder: Path) -> Job:
    suite = read_suite(write_suite(folder, tokens="[4]"))
    (cell,) = expand(suite, weight_mode=WeightMode.TINY, clip_source_sha256=clips.shipped_speech().sha256)
    return Job(requested=cell.requested, measure=suite.measure)


class Cache:
    """A caching allocator whose n-th begin gives a peak of 1000 n."""

    source = "by the book"

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._begun = 0
        self._failures = 7  # before this cell

    def wait(self) -> None:
        self.calls.append("wait")

    def give_back(self) -> None:
        self.calls.append("give back")

    def begin(self) -> None:
        self._begun += 1

    def read(self) -> Counts:
        self.calls.append("read")
        return Counts(peak=1000 * self._begun, live=100 * self._begun, reserved_peak=2000 * self._begun)

    def retries(self) -> int:
        self._failures += 1
        return self._failures

    def reserved(self) -> int:
        self.calls.append("reserved")
        return 4096


def test_where_an_allocator_counts_by_itself_the_timed_repeats_are_the_pass_for_memory(
    tmp_path: Path,
) -> None:
    steps: list[Step] = []
    opened, cache = tiny(tmp_path), Cache()
    assert isinstance(opened.engine, NativeEngine)
    counted = replace(opened, memory=CudaMemory(opened.engine, cache))
    job = one_cell(tmp_path)
    twice = job.model_copy(
        update={"measure": job.measure.model_copy(update={"repeats": 2, "max_repeats": 2})}
    )
    finished = CellRunner(counted, None, steps.append).run(twice)
    assert finished.memory is not None
    assert [step.name for step in steps] == ["load", "cold", "warm-up", "repeat", "repeat", "report"]
    # Loading, then two repeats of four phases; cold call and warm-up are in no peak.
    # Before it says what it holds, the worker keeps nothing that the next cell would be charged with.
    assert cache.calls == ["wait", "read", "give back", *["read"] * 8, "give back", "reserved"]
    peaks = {name: phase.allocated_peak_bytes for name, phase in finished.memory.phases.items()}
    assert peaks == {
        Phase.LOAD: 1000,
        Phase.PREPROCESS: 6000,
        Phase.ENCODE: 7000,
        Phase.PREFILL: 8000,
        Phase.DECODE: 9000,
    }
    assert finished.memory.phases[Phase.DECODE].reserved_peak_bytes == 18_000
    assert finished.memory.allocation_retries == 1
    assert finished.reserved_bytes == 4096
    assert finished.memory_trace is None, "the driver reports the course, in the parent"
