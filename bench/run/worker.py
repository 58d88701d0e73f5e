"""The child process: loads a model once, measures the cells it is sent, and lives no longer than its parent.

It catches memory exhaustion and errors that a person can mend. Anything else ends it with a traceback on
standard error, which the parent turns into a Failed outcome: a worker that failed is replaced anyway.
"""

import os
import sys
import threading
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING

from bench.errors import BenchError, FullCardError
from bench.records.enums import WeightMode
from bench.run.protocol import Event, Exhausted, Hello, Job, Refused, Setup

if TYPE_CHECKING:
    import torch

    from bench.records.reasons import FlashAttentionBroken
    from bench.run.measurement import CellRunner

PARENT_GONE = 113


class Channel:
    """The worker's line to its parent: commands from standard input, events to what was standard output."""

    def __init__(self) -> None:
        # Libraries may print; only our own events may reach the parent's parser.
        self._events: IO[str] = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
        os.dup2(2, 1)
        self._lines: SimpleQueue[str] = SimpleQueue()

    def send(self, event: Event) -> None:
        """Tell the parent."""
        self._events.write(event.model_dump_json() + "\n")

    def receive(self) -> str:
        """The parent's next line."""
        return self._lines.get()

    def listen(self) -> None:
        """Read the parent's lines in a thread; the end of them is the end of this process."""
        threading.Thread(target=self._read, name="parent", daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            self._lines.put(line)
        # The parent closed the pipe or was killed: leave at once, whatever the model is doing.
        os._exit(PARENT_GONE)


def main() -> int:
    """Serve one parent until it closes the pipe."""
    channel = Channel()
    channel.listen()
    setup = Setup.model_validate_json(channel.receive())

    import torch
    import transformers

    from bench.engines.cuda import open_context, require_cuda
    from bench.engines.flash_attention import flash_attention_problem
    from bench.engines.native import NativeEngine, quiet_transformers
    from bench.run.measurement import CellRunner
    from bench.run.memory_profiler import gauge
    from bench.run.turns import turns_of_environment

    quiet_transformers()
    if setup.device == "cpu" and setup.source.weight_mode is WeightMode.TINY:
        # Its operators are too small to share, and threads that wait for each other crawl on a busy machine.
        torch.set_num_threads(1)
    device, limit = torch.device(setup.device), setup.memory_limit_bytes
    no_flash_attention: FlashAttentionBroken | None = None
    try:
        require_cuda(setup.device)
        if setup.device == "cuda":
            # Before the parent hears of this process, so that it finds it on the card from then on.
            open_context(limit)
            no_flash_attention = flash_attention_problem(device)
        engine = NativeEngine(setup.source, device)
        facts = engine.facts(setup.dtype)
        runner = CellRunner(
            engine,
            device,
            setup.audio,
            channel.send,
            gauge(engine, device, limit),
            weights_bytes=facts.weights_bytes,
            turn=turns_of_environment(),
        )
    except BenchError as error:
        channel.send(_refused(error))
        return error.exit_code
    channel.send(
        Hello(
            pid=os.getpid(),
            model=facts,
            torch=torch.__version__,
            transformers=transformers.__version__,
            flash_attention_problem=no_flash_attention,
        )
    )
    while True:
        _measure_next(channel, runner, device, limit)


def _refused(error: BenchError) -> Refused:
    return Refused(
        message=error.message,
        hint=error.hint,
        exit_code=error.exit_code,
        out_of_memory=isinstance(error, FullCardError),
    )


def _measure_next(
    channel: Channel, runner: "CellRunner", device: "torch.device", limit_bytes: int | None
) -> None:
    """Measure the next cell that the parent sends, and tell how it ended."""
    from bench.run.out_of_memory import out_of_memory

    job = Job.model_validate_json(channel.receive())
    try:
        channel.send(runner.run(job))
    except (RuntimeError, MemoryError) as error:
        exhausted = out_of_memory(error, runner.phase, device, limit_bytes)
        if exhausted is None:
            raise
        channel.send(Exhausted(outcome=exhausted))


if __name__ == "__main__":
    sys.exit(main())
