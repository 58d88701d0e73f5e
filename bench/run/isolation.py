"""Keeps one worker while it is healthy, and replaces it after a failure. Waiting uses no core."""

from collections.abc import Callable
from contextlib import suppress
from math import inf
from queue import Empty
from time import monotonic
from typing import Final

from bench.errors import BenchError, ExitCode, FullCardError, MachineError, UsageError
from bench.packages import version_of
from bench.records.cell import Failed, OutOfMemory, Timeout
from bench.records.enums import Phase
from bench.records.reasons import (
    FlashAttentionBroken,
    NoContextFits,
    NoNewWorker,
    TimeLimitPassed,
    WorkerRaised,
    WorkerStep,
)
from bench.run.child import Child, Mailbox, OutputClosed, WorkerEvent, cause, worker_exit
from bench.run.protocol import Event, Finished, Hello, Job, RanOutOfMemory, Refused, Setup, Step
from bench.run.signals import StopRequest, receive
from bench.store.scrub import scrub
from bench.wording import outcomes

START_LIMIT_S: Final = 300.0  # importing torch from a cold, slow disk
_LONGEST: Final = 200
LOAD_LIMIT_S: Final = 1800.0  # 10 GB from a disk that gives 6 MB/s

CellEnd = Finished | OutOfMemory | Failed | Timeout
OnStep = Callable[[Step], None]


class Stopped(Exception):  # noqa: N818 - no error: the user stopped it
    """A signal stopped the run while it waited for a worker."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"stopped by signal {signal_number}")
        self.signal_number = signal_number


class Isolation:
    """At most one worker at a time. `worker_pid` is the pid of the latest one, after its end too."""

    def __init__(self, setup: Setup, mailbox: Mailbox) -> None:
        self._setup = setup
        self._mailbox = mailbox
        self._child: Child | None = None
        self._loaded = False
        self.worker_pid: int | None = None

    @property
    def has_worker(self) -> bool:
        """Whether a worker is ready for the next cell."""
        return self._child is not None

    def hello(self) -> Hello:
        """Start a fresh worker, and return its report of itself and of the model.

        Raises:
            BenchError: it cannot start, with the worker's own reason.
            Stopped: a signal came.
        """
        self.retire()
        self.worker_pid = None
        child = self._child = Child(self._setup, self._mailbox)
        said = self._next_from(child, START_LIMIT_S)
        if isinstance(said, Hello):
            self.worker_pid = said.pid
            return said
        self._child = None
        if isinstance(said, OutputClosed) and self._setup.flash_attention:
            return self._without_flash_attention(_end_of(child))
        raise _did_not_start(child, said)

    def _without_flash_attention(self, end: str) -> Hello:
        """Start a worker that does not try FlashAttention 2: if it starts, the package ended the one before.

        Raises:
            BenchError, Stopped: as `hello`.
        """
        self._setup = self._setup.model_copy(update={"flash_attention": False})
        broken = FlashAttentionBroken(
            version=version_of("flash-attn"), failed_at="crash", error=scrub(end)[:_LONGEST]
        )
        return self.hello().model_copy(update={"flash_attention_problem": broken})

    def measure(self, job: Job, limit_s: float, on_step: OnStep, *, ends_at: float = inf) -> CellEnd:
        """Measure one cell in the worker, which ends unless the cell finished.

        `limit_s` counts from the end of loading. `ends_at` is the latest end on the monotonic clock, from
        which a timeout results as well.

        Raises:
            Stopped: a signal came; the worker is gone.
        """
        if self._child is None:
            try:
                self.hello()
            except FullCardError:
                # The run's first worker got a context: the card became full since, which concerns this cell.
                return outcomes.out_of_memory(NoContextFits(), phase=Phase.LOAD)
            except MachineError as error:
                # The run's first worker started, so that the machine changed since: the card may be gone.
                return outcomes.failed(NoNewWorker(error=scrub(str(error))))
        child = self._child
        if child is None:
            raise BenchError("no worker after its hello")
        child.send(job)
        step: Step | None = None
        limit = limit_s if self._loaded else LOAD_LIMIT_S
        deadline = min(monotonic() + limit, ends_at)
        while True:
            match self._next_from(child, deadline - monotonic()):
                case Step() as step:
                    on_step(step)
                    if step.name != "load" and not self._loaded:
                        self._loaded = True
                        limit, deadline = limit_s, min(monotonic() + limit_s, ends_at)
                case Finished() as finished:
                    return finished
                case RanOutOfMemory(outcome=outcome):
                    self.retire()
                    return outcome
                case OutputClosed():
                    self._forget()
                    return _post_mortem(child, step)
                case None:
                    self.retire()
                    return _timed_out(child, step, limit)
                case other:
                    raise BenchError(f"the worker said {type(other).__name__} in the middle of a cell")

    def retire(self) -> None:
        """End the worker, if there is one; the next cell starts another."""
        if self._child is not None:
            self._child.kill()
        self._forget()

    def rest(self, seconds: float) -> bool:
        """Wait between two workers; False at once if a signal comes, which stays in the mailbox."""
        deadline = monotonic() + seconds
        while (left := deadline - monotonic()) > 0:
            with suppress(Empty):
                message = receive(self._mailbox, left)
                if isinstance(message, StopRequest):
                    self._mailbox.put(message)
                    return False
        return True

    def _forget(self) -> None:
        self._child = None
        self._loaded = False

    def _next_from(self, child: Child, timeout_s: float) -> Event | OutputClosed | None:
        """Return the next event of this worker, None at the time limit. Blocks without using a core."""
        deadline = monotonic() + timeout_s
        while True:
            try:
                message = receive(self._mailbox, deadline - monotonic())
            except Empty:
                return None
            match message:
                case StopRequest(signal_number=number):
                    self.retire()
                    raise Stopped(number)
                case WorkerEvent(worker=pid, event=event) if pid == child.pid:
                    return event
                case OutputClosed(worker=pid) if pid == child.pid:
                    return message
                case _:
                    pass  # a late event of a worker that was replaced


def _did_not_start(child: Child, said: Event | OutputClosed | None) -> BenchError:
    if isinstance(said, OutputClosed):
        return MachineError(f"the worker did not start: {_end_of(child)}")
    child.kill()
    if isinstance(said, Refused):
        if said.out_of_memory:
            return FullCardError(said.message, hint=said.hint)
        kind = UsageError if said.exit_code == ExitCode.USAGE else MachineError
        return kind(said.message, hint=said.hint)
    if said is None:
        return MachineError(f"the worker was not ready after {START_LIMIT_S:.0f} s")
    return BenchError(f"the worker said {type(said).__name__} before its hello")


def _end_of(child: Child) -> str:
    status, tail = child.wait(), child.error_tail()
    return cause(tail) if tail and status >= 0 else outcomes.worker_end(worker_exit(status, None))


def _post_mortem(child: Child, step: Step | None) -> Failed:
    status = child.wait()
    tail = child.error_tail()
    during = _plain(step)
    raised = status > 0 and tail
    return outcomes.failed(
        WorkerRaised(error=cause(tail), during=during) if raised else worker_exit(status, during),
        phase=Phase.LOAD if step is not None and step.name == "load" else None,
        error_tail=tail,
    )


def _timed_out(child: Child, step: Step | None, limit_s: float) -> Timeout:
    return outcomes.timeout(
        TimeLimitPassed(limit_s=limit_s, during=_plain(step)), error_tail=child.error_tail()
    )


def _plain(step: Step | None) -> WorkerStep | None:
    """Return the step in the form of a record."""
    return None if step is None else WorkerStep(name=step.name, number=step.number, total=step.total)
