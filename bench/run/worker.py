"""The child process: opens an engine, measures the cells it is sent, and lives no longer than its parent.

Memory exhaustion and errors that the user can fix are caught. Any other error ends it with a traceback on
standard error, which the parent turns into a Failed outcome: a worker that failed is replaced anyway.
"""

import os
import sys
import threading
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Final

from bench.errors import BenchError, FullCardError
from bench.packages import importing
from bench.run.protocol import Event, Hello, Job, RanOutOfMemory, Refused, Setup
from bench.text import clean

if TYPE_CHECKING:
    from bench.engines.interface import RanOutOfMemory as ExhaustedBy
    from bench.run.measurement import CellRunner

PARENT_GONE: Final = 113
_BLOCK_BYTES: Final = 1 << 16


class Channel:
    """The connection to the parent: commands from the old standard input, events to the old standard output.

    Both are UTF-8 in any locale, and processes that libraries start do not inherit them. The standard streams
    lead elsewhere: libraries may print, and the parent parses only our events. On Windows a library that asks
    for the kind of standard input, as C runtimes do while they load, would wait for a pending read of it.
    """

    def __init__(self) -> None:
        # No file object: its lock, held by the thread that reads, would keep this process from ending.
        self._commands = os.dup(0)
        self._events: IO[str] = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
        nowhere = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nowhere, 0)
        os.close(nowhere)
        os.dup2(2, 1)
        self._events.write("\n")  # ends a line that something else has begun
        self._lines: SimpleQueue[bytes] = SimpleQueue()

    def send(self, event: Event) -> None:
        """Send one event to the parent."""
        self._events.write(event.model_dump_json() + "\n")

    def receive(self) -> bytes:
        """Return the parent's next line."""
        return self._lines.get()

    def listen(self) -> None:
        """Read the parent's lines in a thread; at their end this process ends."""
        threading.Thread(target=self._read, name="parent", daemon=True).start()

    def _read(self) -> None:
        begun = b""
        while read := os.read(self._commands, _BLOCK_BYTES):
            *lines, begun = (begun + read).split(b"\n")
            for line in lines:
                self._lines.put(line)
        # The parent closed the pipe or was killed: end at once, even during a generation.
        os._exit(PARENT_GONE)


def main() -> int:
    """Measure the cells of one parent until it closes the pipe."""
    channel = Channel()
    channel.listen()
    setup = Setup.model_validate_json(channel.receive())

    try:
        with importing():
            from bench.engines.registry import find_engine
            from bench.run.measurement import CellRunner
            from bench.run.turns import turns_of_environment

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
            sdpa_kernel=opened.sdpa_kernel,
            has_flash_kernels=opened.has_flash_kernels,
        )
    )
    while True:
        _measure_next(channel, runner, opened.exhausted)


def _refused(error: BenchError) -> Refused:
    return Refused(
        message=clean(error.message),  # it may contain a file name that is no UTF-8
        hint=None if error.hint is None else clean(error.hint),
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
        channel.send(RanOutOfMemory(outcome=outcome))


if __name__ == "__main__":
    sys.exit(main())
