"""Builds of bench that are installed elsewhere, and runs of them in processes of their own."""

import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from bench.errors import ExitCode, MachineError, UsageError
from bench.interleave.turns import EventQueue, TurnRequest, Turns
from bench.processes import python_environment
from bench.run.child import OWN_GROUP, OutputClosed
from bench.run.isolation import Stopped
from bench.run.signals import StopRequest, receive
from bench.run.turns import ADDRESS
from bench.store.record_files import find_records, read_record

_LOG: Final = "log.txt"
_TAIL_BYTES: Final = 4096
_STOP_GRACE_S: Final = 30.0
# These would put another build in front of the environment's own.
_OVERRIDING: Final = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
# A run whose cells failed for a reason other than memory has a record all the same.
_WITH_RECORD: Final = (ExitCode.DONE, ExitCode.CELLS_FAILED)


@dataclass(frozen=True, slots=True)
class Build:
    """A Python in which one build of bench is installed; `name` is the folder that its records go to."""

    name: str
    label: str
    python: Path


def build_at(name: str, place: Path) -> Build:
    """Return the build of a virtual environment's folder or of a Python executable.

    Raises:
        UsageError: there is no Python.
    """
    inside = ("bin/python", "Scripts/python.exe")
    python = next((place / end for end in inside if (place / end).is_file()), place)
    if not python.is_file() or not os.access(python, os.X_OK):
        hint = "Name the folder of a virtual environment, or a Python executable"
        raise UsageError(f"{place}: no Python there", hint=hint)
    return Build(name, str(place), python.absolute())  # not resolved: the link is what finds the environment


def run_together(
    builds: Sequence[Build],
    arguments: Sequence[str],
    folder: Path,
    addresses: Mapping[str, Path],
    events: EventQueue,
) -> dict[str, Path]:
    """Run `bench run` of each build in a fresh process, all at the same time; return their records' paths.

    `addresses`: sockets for their turns; empty for one that runs alone.

    Raises:
        MachineError, UsageError: one ended without a record, or takes no turns.
        Stopped: a signal came; the processes have ended.
    """
    turns = Turns(build.name for build in builds)
    with _Runs(events) as runs:
        for build in builds:
            runs.start(build, arguments, folder / build.name, addresses.get(build.name))
        while runs.running:
            match receive(events):
                case StopRequest(signal_number=number):
                    raise Stopped(number)
                case TurnRequest() as request:
                    turns.add(request)
                case OutputClosed(worker=pid) if pid in runs.running:
                    turns.ended(runs.end(pid).name)
                case _:
                    pass  # the end of a process before this one
    made = {build.name: _record_of(build, folder / build.name) for build in builds}
    for build in builds if addresses else ():
        if not turns.taken[build.name] and any(cell.repeats for cell in read_record(made[build.name]).cells):
            raise UsageError(
                f"{build.label}: this build cannot alternate by generation", hint="Use --turns run"
            )
    return made


@dataclass(frozen=True, slots=True)
class _RunningBuild:
    build: Build
    process: "subprocess.Popen[bytes]"
    log: Path


class _Runs:
    """The running processes; on exit none is left."""

    def __init__(self, events: EventQueue) -> None:
        self._events = events
        self.running: dict[int, _RunningBuild] = {}

    def __enter__(self) -> Self:
        """Nothing runs yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End what still runs."""
        for one in self.running.values():
            one.process.terminate()
        for one in self.running.values():
            _wait_or_kill(one.process)

    def start(self, build: Build, arguments: Sequence[str], folder: Path, turns: Path | None) -> None:
        """Start one `bench run`; its end is posted as an event."""
        folder.mkdir()
        log = folder / _LOG
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(build.python), "-m", "bench", "run", *arguments, "--out", str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=_environment(os.environ, turns),
                **OWN_GROUP,
            )
        self.running[process.pid] = _RunningBuild(build, process, log)
        threading.Thread(target=_wait, args=(process, self._events.put), daemon=True).start()

    def end(self, pid: int) -> Build:
        """Remove an ended process from the running ones; return its build.

        Raises:
            MachineError, UsageError: it has no record.
        """
        one = self.running.pop(pid)
        code = one.process.wait()
        if code not in _WITH_RECORD:
            raise _refused(one.build, code, one.log)
        return one.build


def _record_of(build: Build, folder: Path) -> Path:
    records = find_records(folder)
    if len(records) != 1:
        raise MachineError(f"{build.label}: bench run wrote {len(records)} records instead of one")
    return records[0]


def _environment(own: Mapping[str, str], turns: Path | None) -> dict[str, str]:
    """Our environment without paths to modules, which would make both builds one."""
    kept = {name: value for name, value in own.items() if name not in {*_OVERRIDING, ADDRESS}}
    address = {} if turns is None else {ADDRESS: str(turns)}
    return python_environment(kept) | address


def _wait(process: "subprocess.Popen[bytes]", post: Callable[[OutputClosed], None]) -> None:
    """Post the end of a process, without polling for it."""
    process.wait()
    post(OutputClosed(process.pid))


def _wait_or_kill(process: "subprocess.Popen[bytes]") -> None:
    """Wait for a terminated process, which ends its own worker; kill it after `_STOP_GRACE_S`."""
    try:
        process.wait(_STOP_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _refused(build: Build, code: int, log: Path) -> MachineError | UsageError:
    """The error of a run without a record, with the last line of its log; exit code 2 stays a usage error."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    said = next((line for line in reversed(lines) if line.strip()), "it said nothing")
    kind = UsageError if code == ExitCode.USAGE else MachineError
    return kind(f"{build.label}: bench run ended with {code}: {said.removeprefix('bench: ')}")
