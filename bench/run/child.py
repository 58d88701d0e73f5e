"""The parent's handle of one worker process: its pipes, its events and its exit."""

import os
import re
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import IO, Final, TypedDict

from pydantic import ValidationError

from bench.errors import BenchError
from bench.processes import python_command, python_environment
from bench.records.reasons import WorkerExited, WorkerKilled, WorkerStep
from bench.run.protocol import EVENT, Event, Job, Setup
from bench.run.signals import StopRequest
from bench.store.scrub import scrub_tail
from bench.weights.hub_settings import importable


class _Group(TypedDict, total=False):
    """Options of Popen for the group of a process."""

    start_new_session: bool
    creationflags: int


# Only the parent handles Ctrl-C in the terminal. Never run on Windows, where such a group hears none.
OWN_GROUP: Final = (
    _Group(creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0))
    if os.name == "nt"
    else _Group(start_new_session=True)
)

_EXIT_GRACE_S: Final = 10.0
_TAIL_LINES: Final = 60
_ERROR: Final = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit)\b")


@dataclass(frozen=True)
class WorkerEvent:
    """An event from a worker."""

    worker: int
    event: Event


@dataclass(frozen=True)
class OutputClosed:
    """A worker's output is closed: the process has ended or is ending."""

    worker: int


Mailbox = SimpleQueue[WorkerEvent | OutputClosed | StopRequest]


class Child:
    """A running worker. Its events arrive in the mailbox, tagged with its pid."""

    def __init__(self, setup: Setup, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._process = subprocess.Popen(
            python_command("bench.run.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            **OWN_GROUP,
            # A worker sees the chosen device only; for the CPU it sees none.
            env=importable(python_environment(os.environ))
            | {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": setup.gpu_uuid or ""},
        )
        self.pid = self._process.pid
        self._stdin = _open(self._process.stdin)
        self._stdout = _open(self._process.stdout)
        self._stderr = _open(self._process.stderr)
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._threads = [_start(self._read_events), _start(self._read_errors)]
        self.send(setup)

    def send(self, message: Setup | Job) -> None:
        """Send one line. For a worker that has ended nothing is raised: its `OutputClosed` reports that."""
        with suppress(BrokenPipeError):
            self._stdin.write(message.model_dump_json() + "\n")
            self._stdin.flush()

    def kill(self) -> None:
        """Kill the process, and wait for its end."""
        self._process.kill()
        self._process.wait()
        self._close()

    def wait(self) -> int:
        """Return the exit status (negative: a signal). A process that does not end in time is killed."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_EXIT_GRACE_S)
        self._process.kill()
        status = self._process.wait()
        self._close()
        return status

    def error_tail(self) -> tuple[str, ...]:
        """Return the last lines of standard error, scrubbed."""
        return scrub_tail(self._tail)

    def _close(self) -> None:
        for thread in self._threads:
            thread.join(_EXIT_GRACE_S)
        for pipe in (self._stdin, self._stdout, self._stderr):
            with suppress(BrokenPipeError):  # unsent input of a worker that was killed
                pipe.close()

    def _read_events(self) -> None:
        begun = False
        for line in self._stdout:
            try:
                event = EVENT.validate_json(line)
            except ValidationError:
                if begun:
                    self._tail.append("the worker sent a line that is not a message")
                    break
                # Printed while Python itself started, for example by a sitecustomize.
                self._tail.append(line)
                continue
            begun = True
            self._mailbox.put(WorkerEvent(self.pid, event))
        self._mailbox.put(OutputClosed(self.pid))

    def _read_errors(self) -> None:
        self._tail.extend(self._stderr)


def _open(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise BenchError("a worker was started without a pipe")
    return pipe


def _start(target: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    return thread


def cause(tail: tuple[str, ...]) -> str:
    """Return the line of a traceback that names the error; CUDA adds several lines after it."""
    named = [line for line in tail if _ERROR.match(line)]
    return named[-1] if named else tail[-1]


def worker_exit(status: int, during: WorkerStep | None) -> WorkerExited | WorkerKilled:
    """Return how a worker ended without an exception, from the exit status of its process."""
    if status >= 0:
        return WorkerExited(exit_status=status, during=during)
    return WorkerKilled(signal=signal.Signals(-status).name, during=during)
