"""Who waits for the card, and whose record tells what a worker left on it."""

from collections.abc import Callable
from math import inf
from pathlib import Path
from time import perf_counter

import pytest

from bench.engines.interface import ModelSource
from bench.errors import ExitCode, FullCardError, MachineError
from bench.hardware.readings import DriverGpu, DriverLost, MemoryReading, Sample
from bench.measure.sampler import Sampler
from bench.records.card import DeviceMemory, DeviceState, Sampled
from bench.records.cell import CellResult, Failed, MemoryTrace, OutOfMemory, Requested, Timeout
from bench.records.enums import Attention, Phase, WeightMode
from bench.records.reasons import CardLost, NoContextFits, NoNewWorker
from bench.run import isolation, runner
from bench.run.child import Child, Mailbox
from bench.run.isolation import CellEnd, Isolation, OnStep
from bench.run.protocol import Finished, Hello, Job, Refused, Setup, Span, Step
from bench.run.session import RunPolicy, Session
from bench.run.signals import StopRequest
from bench.run.telemetry import CellTelemetry, LeftoverMemory, Rest, Telemetry
from bench.store.journal import Journal, Progress, Resumed, read_progress, seal_journal
from bench.store.lock import JournalLock
from bench.suite.cells import Cell
from bench.suite.suite import Measure
from bench.units import MIB
from tests.measure.scripted_probe import Scripted
from tests.samples import records as sample
from tests.store.test_journal import header

SETUP = Setup(
    engine="native",
    source=ModelSource(name="tiny", weight_mode=WeightMode.TINY, directory=None),
    device="cpu",
    dtype="float32",
    audio=None,
)
SDPA = [sample.requested(10, 128), sample.requested(10, 256)]
EAGER = [sample.requested(10, 128, Attention.EAGER)]


def finished(wanted: Requested, reserved_bytes: int | None = None) -> Finished:
    return Finished(
        effective=sample.effective(wanted, sample.RTX_4070),
        work=None,
        spans=(Span(begin_s=0, end_s=1),),
        reserved_bytes=reserved_bytes,
        load_s=None,
        cold=None,
        repeats=(sample.repeat(wanted),),
        memory=sample.memory(wanted, sample.RTX_4070),
    )


class Worker(Isolation):
    """Ends every cell as it is told to, and notes what is asked of it."""

    def __init__(self, events: list[str], end: Callable[[Requested], CellEnd]) -> None:
        super().__init__(SETUP, Mailbox())
        self._events = events
        self._end = end
        self._alive = False

    @property
    def has_worker(self) -> bool:
        return self._alive

    def measure(self, job: Job, limit_s: float, tell: OnStep, *, ends_at: float = inf) -> CellEnd:
        self._events.append("measure")
        self._alive = True
        return self._end(job.requested)

    def retire(self) -> None:
        self._events.append("retire")
        self._alive = False


class Card:
    """A watched card that is left as `residues` say, one after the other."""

    state: DeviceState | None = None

    def __init__(
        self,
        events: list[str],
        *residues: LeftoverMemory,
        lost: str | None = None,
        contended: bool | None = None,
        trace: MemoryTrace | None = None,
    ) -> None:
        self.lost = lost
        self._trace = trace
        self._contended = contended
        self._events = events
        self._residues = list(residues)

    def cell_begins(self) -> None:
        self._events.append("begin")

    def cell_ends(self, worker: int | None, finished: Finished | None) -> CellTelemetry:
        self._events.append("end")
        return CellTelemetry(
            DeviceMemory(
                source=None,
                sampler=Sampled(period_s=0.02, samples=0, largest_gap_s=None),
                baseline_bytes=None,
                device_peak_bytes=None,
                process_peak_bytes=None,
                context_bytes=None,
                context_source=None,
                residue_bytes=None,
                back_at_baseline=None,
                waited_s=None,
                driver_error=self.lost,
                contended=self._contended,
            ),
            memory_trace=self._trace,
        )

    def settle(self, rest: Rest, limit_s: float) -> LeftoverMemory:
        self._events.append("settle")
        return self._residues.pop(0) if self._residues else LeftoverMemory()


class Nobody:
    def cell_begins(self, cell: Cell, number: int, total: int) -> None: ...
    def step_begins(self, step: Step) -> None: ...
    def cell_ends(self, result: CellResult) -> None: ...


def cells_of(wanted: list[Requested]) -> list[Cell]:
    return [Cell(sample.cell_id(each), each) for each in wanted]


def session_of(cells: list[Cell], worker: Worker, card: Card, **rules: str) -> Session:
    policy = RunPolicy(isolate="cell" if rules else "group")
    return Session(
        cells, (), Measure(), worker, lambda _: None, policy=policy, device=sample.RTX_4070, watch=card
    )


def run(session: Session, folder: Path) -> tuple[CellResult, ...]:
    journal = Journal.create(folder / "x.journal.jsonl", Progress(header(), ()))
    session.run(journal, Nobody())
    journal.close()
    return read_progress(journal.path).done


def told(result: CellResult) -> tuple[int | None, bool | None]:
    assert result.device_memory is not None
    return result.device_memory.residue_bytes, result.device_memory.back_at_baseline


def test_the_last_cell_of_a_worker_tells_what_it_left(tmp_path: Path) -> None:
    events: list[str] = []
    card = Card(events, LeftoverMemory(5, True, 0.1), LeftoverMemory(7, False, 15.0))
    results = run(session_of(cells_of([*SDPA, *EAGER]), Worker(events, finished), card), tmp_path)
    cell = ["begin", "measure", "end"]
    assert events[:11] == [*cell, *cell, "retire", "settle", *cell]
    assert [told(result) for result in results] == [(None, None), (5, True), (7, False)]


def test_a_worker_that_failed_is_waited_for_and_its_cell_tells(tmp_path: Path) -> None:
    events: list[str] = []

    def end(wanted: Requested) -> CellEnd:
        return Timeout(reason="slow", limit_s=1) if wanted.max_tokens == 128 else finished(wanted)

    results = run(
        session_of(cells_of(SDPA), Worker(events, end), Card(events, LeftoverMemory(9, False, 15))), tmp_path
    )
    assert told(results[0]) == (9, False)
    assert events[3:5] == ["retire", "settle"]


def test_a_sweep_that_changes_the_group_waits_first_and_the_new_cell_tells_what_stays(
    tmp_path: Path,
) -> None:
    for residue, expected in (
        (LeftoverMemory(3, True, 0.2), (None, None)),
        (LeftoverMemory(8, False, 15.0), (8, False)),
    ):
        events: list[str] = []
        session = session_of([], Worker(events, finished), Card(events, residue))
        journal = Journal.create(tmp_path / "x.journal.jsonl", Progress(header(), ()))
        first, second = (session.run_cell(cell, journal, Nobody()) for cell in cells_of([SDPA[0], EAGER[0]]))
        journal.close()
        assert events[3:6] == ["retire", "settle", "begin"]
        assert told(first) == (None, None)
        assert told(second) == expected


@pytest.mark.parametrize(
    ("contended", "second"), [(True, "out_of_memory"), (False, "skipped"), (None, "skipped")]
)
def test_what_ran_out_of_memory_beside_another_program_spares_no_larger_cell(
    contended: bool | None, second: str, tmp_path: Path
) -> None:
    events: list[str] = []
    worker = Worker(events, lambda _: OutOfMemory(reason="CUDA out of memory"))
    results = run(session_of(cells_of(SDPA), worker, Card(events, contended=contended)), tmp_path)
    assert [result.outcome.status for result in results] == ["out_of_memory", second]


def test_no_worker_is_started_for_a_card_that_is_lost(tmp_path: Path) -> None:
    events: list[str] = []
    card = Card(events, lost="GPU is lost")
    session = session_of(cells_of(SDPA), Worker(events, finished), card, isolate="cell")
    for result in run(session, tmp_path):
        assert isinstance(result.outcome, Failed)
        assert result.outcome.reason_code == CardLost(error="GPU is lost")
        assert result.device_memory is not None
        assert result.device_memory.driver_error == "GPU is lost"
    assert "measure" not in events


def test_a_later_worker_that_cannot_start_costs_its_cell_and_not_the_run() -> None:
    class Refusing(Isolation):
        def hello(self) -> Hello:
            raise MachineError("no GPU was found", hint="look at /home/someone/cables")

    end = Refusing(SETUP, Mailbox()).measure(Job(requested=SDPA[0], measure=Measure()), 1.0, lambda _: None)
    assert isinstance(end, Failed)
    assert end.reason_code == NoNewWorker(error="no GPU was found. look at <path>/cables")


def test_a_later_worker_that_finds_the_card_full_is_out_of_memory_while_loading() -> None:
    class Full(Isolation):
        def hello(self) -> Hello:
            raise FullCardError("the card is full", hint="Close what fills it")

    end = Full(SETUP, Mailbox()).measure(Job(requested=SDPA[0], measure=Measure()), 1.0, lambda _: None)
    assert isinstance(end, OutOfMemory)
    assert (end.reason_code, end.phase) == (NoContextFits(), Phase.LOAD)


def test_the_first_worker_that_finds_the_card_full_ends_the_run_in_one_line() -> None:
    mailbox: Mailbox = Mailbox()
    child = Child(SETUP, mailbox)
    said = Refused(message="the card is full", hint="Close", exit_code=ExitCode.MACHINE, out_of_memory=True)
    error = isolation._did_not_start(child, said)
    assert isinstance(error, FullCardError)
    assert (str(error), error.exit_code) == ("the card is full. Close", ExitCode.MACHINE)


def test_a_signal_ends_the_wait_and_reaches_whoever_waits_next() -> None:
    mailbox: Mailbox = Mailbox()
    nobody = Isolation(SETUP, mailbox)
    assert nobody.rest(0.001)
    mailbox.put(StopRequest(2))
    assert not nobody.rest(600)
    assert mailbox.get(timeout=0) == StopRequest(2)


GPU = DriverGpu(
    uuid="GPU-1",
    name="NVIDIA GeForce RTX 4070",
    compute_capability="8.9",
    driver="580",
    memory=MemoryReading("NVML memory v2", 12282 * MIB, 100 * MIB, 11748 * MIB, 434 * MIB),
    processes=(),
)


@pytest.mark.parametrize(
    ("processes", "used", "reserved", "expected"),
    [
        ({7: 1428}, 1600, 1000, (428, "process")),
        ({7: None}, 1600, 1000, (500, "device")),
        ({9: 1428}, 1600, 1000, (500, "device")),  # a container: pid 9 is the host's name for our 7
        (None, 1600, 1000, (500, "device")),
        (None, 1050, 1000, (None, None)),  # somebody else freed memory: nothing can be told
        (None, None, 1000, (None, None)),
        ({7: 1428}, 1600, None, (None, None)),  # no CUDA allocator
    ],
)
def test_the_context_is_what_the_worker_has_beyond_its_allocator(
    processes: dict[int, int | None] | None,
    used: int | None,
    reserved: int | None,
    expected: tuple[int | None, str | None],
) -> None:
    def mib(size: int | None) -> int | None:
        return None if size is None else size * MIB

    listed = None if processes is None else {pid: mib(size) for pid, size in processes.items()}
    sampler = Sampler(Scripted([Sample(0, used_bytes=mib(used), processes=listed)]))
    telemetry = Telemetry(GPU, sampler)
    telemetry.cell_begins()
    memory = telemetry.cell_ends(7, finished(SDPA[0], mib(reserved))).memory
    telemetry.close()
    assert memory is not None
    size, source = expected
    assert (memory.context_bytes, memory.context_source) == (mib(size), source)
    assert memory.process_peak_bytes == mib((processes or {}).get(7))


def timed(begin_s: float, end_s: float) -> Finished:
    """A cell whose one repeat took that time by the clock of the sampler."""
    end = finished(SDPA[0])
    repeat = end.repeats[0].model_copy(
        update={"preprocess_s": 0.0, "encode_s": 0.0, "time_to_first_token_s": 0.0}
        | {"latency_s": end_s - begin_s}
    )
    span = Span(begin_s=begin_s, end_s=end_s)
    return end.model_copy(update={"repeats": (repeat,), "spans": (span,), "memory_trace": TRACKED})


TRACKED = MemoryTrace(
    what="allocated",
    source="allocation tracker",
    times_s=(0.0,),
    low_bytes=(5,),
    high_bytes=(6,),
    end_s=1.0,
    phases={Phase.DECODE: 0.0},
)


@pytest.mark.parametrize(
    ("pid", "used", "driver_lost", "what"),
    [
        (7, 800, False, "process"),
        (8, 900, False, "device"),  # a container: the driver lists our worker under another pid
        (8, None, False, None),
        (7, 800, True, None),
    ],
)
def test_the_course_of_memory_is_the_workers_own_where_the_driver_tells_it(
    pid: int, used: int | None, driver_lost: bool, what: str | None
) -> None:
    answer = Sample(0, used_bytes=used, processes={7: 800})
    answers: list[Sample | DriverLost] = [answer] * 5
    sampler = Sampler(Scripted([*answers, DriverLost("GPU is lost")] if driver_lost else answers), 0.001)
    telemetry = Telemetry(GPU, sampler)
    begin = perf_counter()
    for _ in range(4):
        sampler.fresh()
    end = perf_counter()
    if driver_lost:
        while sampler.fresh() is not None:
            pass
    trace = telemetry.cell_ends(pid, timed(begin, end)).memory_trace
    telemetry.close()
    assert (trace.what if trace else None) == what
    if trace is not None:
        assert set(trace.low_bytes) == set(trace.high_bytes) == {800 if what == "process" else used}


def test_a_repeat_that_no_sample_fell_into_has_no_course() -> None:
    telemetry = Telemetry(GPU, Sampler(Scripted([Sample(0, used_bytes=900, processes={7: 800})])))
    before = perf_counter() - 3600
    assert telemetry.cell_ends(7, timed(before, before + 1)).memory_trace is None
    telemetry.close()


def test_what_the_driver_tells_goes_before_what_the_worker_counted(tmp_path: Path) -> None:
    def end(_: Requested) -> Finished:
        return timed(0, 1)

    (counted,) = run(session_of(cells_of(SDPA[:1]), Worker([], end), Card([])), tmp_path)
    assert counted.memory_trace == TRACKED
    (tmp_path / "card").mkdir()
    told = TRACKED.model_copy(update={"what": "process", "source": "the driver"})
    (seen,) = run(session_of(cells_of(SDPA[:1]), Worker([], end), Card([], trace=told)), tmp_path / "card")
    assert seen.memory_trace == told, "and the journal gives it back as it was"


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize(
    ("figures", "named"),
    [
        (
            {"memory": sample.memory(SDPA[0], sample.RTX_4070).model_copy(update={"weights_bytes": 2**53})},
            "90071",
        ),
        (
            {"repeats": 2 * (sample.repeat(SDPA[0]).model_copy(update={"latency_s": 1.7e308}),)},
            "finite number",
        ),
    ],
    ids=["beyond an exact integer", "a mean beyond all numbers"],
)
def test_figures_that_json_cannot_hold_cost_their_cell_and_no_other(
    figures: dict[str, object], named: str, tmp_path: Path
) -> None:
    def end(wanted: Requested) -> Finished:
        return finished(wanted).model_copy(update=figures if wanted == SDPA[0] else {})

    odd, good = run(session_of(cells_of(SDPA), Worker([], end), Card([])), tmp_path)
    assert odd.outcome.status == "failed"
    assert odd.outcome.reason.startswith("the figures cannot be stored in a record: ")
    assert named in odd.outcome.reason
    assert good.outcome.status == "measured"
    seal_journal(tmp_path / "x.journal.jsonl")


def test_a_wait_that_a_signal_ends_decides_nothing() -> None:
    telemetry = Telemetry(GPU, Sampler(Scripted([Sample(0, used_bytes=900 * MIB)])))
    residue = telemetry.settle(lambda _: False, 600)
    telemetry.close()
    assert (residue.residue_bytes, residue.back_at_baseline) == (800 * MIB, None)


def test_a_resumed_run_keeps_the_state_of_its_first_part(tmp_path: Path) -> None:
    record = tmp_path / "x.json"
    telemetry = Telemetry(GPU, Sampler(Scripted([Sample(0)])))
    telemetry.close()
    before, now = header(), header().model_copy(update={"device_state": telemetry.state})
    with JournalLock.take(record) as lock:
        location = runner.OutputLocation(tmp_path, Resumed(record, Progress(before, ()), lock))
        progress, _ = runner._start(now, location)
    assert progress.header.device_state == before.device_state
