"""The child process: opens an engine, measures the cells it is sent, and lives no longer than its parent.

Memory exhaustion and errors that a person can mend are caught. Any other error ends it with a traceback on
standard error, which the parent turns into a Failed outcome: a worker that failed is replaced anyway.
"""

import os
import sys
import threading
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING

from bench.errors import BenchError, FullCardError
from bench.run.protocol import Event, Exhausted, Hello, Job, Refused, Setup

if TYPE_CHECKING:
    from bench.engines.interface import Exhausted as ExhaustedBy
    from bench.run.measurement import CellRunner

PARENT_GONE = 113


class Channel:
    """The connection to the parent: commands from standard input, events to the old standard output."""

    def __init__(self) -> None:
        # Libraries may print; the parent parses only our events.
        self._events: IO[str] = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
        os.dup2(2, 1)
        self._lines: SimpleQueue[str] = SimpleQueue()

    def send(self, event: Event) -> None:
        """Send one event to the parent."""
        self._events.write(event.model_dump_json() + "\n")

    def receive(self) -> str:
        """Return the parent's next line."""
        return self._lines.get()

    def listen(self) -> None:
        """Read the parent's lines in a thread; at their end this process ends."""
        threading.Thread(target=self._read, name="parent", daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            self._lines.put(line)
        # The parent closed the pipe or was killed: end at once, even during a generation.
        os._exit(PARENT_GONE)


def main() -> int:
    """Measure the cells of one parent until it closes the pipe."""
    channel = Channel()
    channel.listen()
    setup = Setup.model_validate_json(channel.receive())

    from bench.engines.registry import find_engine
    from bench.run.measurement import CellRunner
    from bench.run.turns import turns_of_environment

    try:
        opened = find_engine(setup.engine).open(setup)
        runner = CellRunner(opened, setup.audio, channel.send, turn=turns_of_environment())
    except BenchError as error:
        channel.send(_refused(error))
        return error.exit_code
    channel.send(
        Hello(
            pid=os.getpid(),
            model=opened.facts,
            torch=opened.torch,
            transformers=opened.transformers,
            flash_attention_problem=opened.flash_attention_problem,
        )
    )
    while True:
        _measure_next(channel, runner, opened.exhausted)


def _refused(error: BenchError) -> Refused:
    return Refused(
        message=error.message,
        hint=error.hint,
        exit_code=error.exit_code,
        out_of_memory=isinstance(error, FullCardError),
    )


def _measure_next(channel: Channel, runner: "CellRunner", exhausted: "ExhaustedBy") -> None:
    """Measure the next cell that the parent sends, and report its end."""
    job = Job.model_validate_json(channel.receive())
    try:
        channel.send(runner.run(job))
    except (RuntimeError, MemoryError) as error:
        outcome = exhausted(error, runner.phase)
        if outcome is None:
            raise
        channel.send(Exhausted(outcome=outcome))


if __name__ == "__main__":
    sys.exit(main())
