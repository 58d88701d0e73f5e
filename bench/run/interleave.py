"""Two builds of bench in alternation: pairs of fresh processes, in the order ABBA.

What drifts on a machine within a minute is then in both builds alike, and what differs from process to
process shows between pairs.
"""

import os
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Final, Protocol

from bench.errors import ExitCode, MachineError, UsageError
from bench.records.schema import Record
from bench.records.store import find_records, read_record, require_writable
from bench.run.child import Gone, Mailbox, StopRequest
from bench.run.isolation import Stopped
from bench.run.session import signals_to

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


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records that were made one after the other."""

    base: Record
    new: Record


class Listener(Protocol):
    """Told how the runs go on."""

    def run_begins(self, build: Build, number: int, total: int) -> None:
        """A process of one build starts, in round `number` of `total`."""

    def run_ends(self, record: Record) -> None:
        """It ended, and its record is kept."""


def build_at(name: str, place: Path) -> Build:
    """The build in a virtual environment's folder, or of a Python executable.

    Raises:
        UsageError: there is no Python.
    """
    inside = ("bin/python", "Scripts/python.exe")
    python = next((place / end for end in inside if (place / end).is_file()), place)
    if not python.is_file() or not os.access(python, os.X_OK):
        hint = "Name the folder of a virtual environment, or a Python executable"
        raise UsageError(f"{place}: no Python there", hint=hint)
    return Build(name, str(place), python.absolute())  # not resolved: the link is what finds the environment


def kept_pairs(out: Path) -> list[Pair]:
    """The pairs that an earlier run has left in `out`.

    Raises:
        RecordError: one of them cannot be read.
    """
    numbers = sorted(
        file.stem for file in (out / "base").glob("*.json") if (out / "new" / file.name).exists()
    )
    return [
        Pair(*(read_record(out / side / f"{number}.json") for side in ("base", "new"))) for number in numbers
    ]


def alternate(
    builds: tuple[Build, Build], arguments: Sequence[str], out: Path, rounds: int, listener: Listener
) -> Iterator[Pair]:
    """Run both builds until `out` holds so many pairs; each pair as soon as it is complete.

    Raises:
        MachineError, UsageError: a build could not run; what was done is kept.
        Stopped: a signal came; what was done is kept.
    """
    require_writable(out)
    mailbox: Mailbox = SimpleQueue()
    with signals_to(mailbox):
        for number in range(len(kept_pairs(out)) + 1, rounds + 1):
            with TemporaryDirectory(prefix=".running-", dir=out) as folder:
                made: dict[str, Path] = {}
                for build in builds if number % 2 else builds[::-1]:
                    listener.run_begins(build, number, rounds)
                    made[build.name] = _run(build, arguments, Path(folder, build.name), mailbox)
                    listener.run_ends(read_record(made[build.name]))
                # Only now: half a pair is none, and is run again.
                kept = [_keep(made[build.name], out / build.name / f"{number:04d}.json") for build in builds]
            yield Pair(*map(read_record, kept))


def _keep(record: Path, place: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    return record.replace(place)


def _run(build: Build, arguments: Sequence[str], folder: Path, mailbox: Mailbox) -> Path:
    """One `bench run` in a fresh process; where its record is.

    Raises:
        MachineError, UsageError: it ended without a record.
        Stopped: a signal came; the process has ended.
    """
    folder.mkdir()
    log = folder / _LOG
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(build.python), "-m", "bench", "run", *arguments, "--out", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(os.environ),
            # A group of its own: Ctrl-C in the terminal is ours to handle.
            start_new_session=os.name != "nt",
        )
        threading.Thread(target=_wait, args=(process, mailbox), daemon=True).start()
        code = _end_of(process, mailbox)
    if code not in _WITH_RECORD:
        raise _refused(build, code, log)
    records = find_records(folder)
    if len(records) != 1:
        raise MachineError(f"{build.label}: bench run left {len(records)} records where one was due")
    return records[0]


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    """Ours, less what would make both builds one: other paths to modules, and the current folder."""
    kept = {name: value for name, value in own.items() if name not in _OVERRIDING}
    return kept | {"PYTHONSAFEPATH": "1"}


def _wait(process: "subprocess.Popen[bytes]", mailbox: Mailbox) -> None:
    process.wait()
    mailbox.put(Gone(process.pid))


def _end_of(process: "subprocess.Popen[bytes]", mailbox: Mailbox) -> int:
    """Its exit status, without using a core to wait for it."""
    while True:
        match mailbox.get():
            case StopRequest(signal_number=number):
                _stop(process)
                raise Stopped(number)
            case Gone(worker=pid) if pid == process.pid:
                return process.wait()
            case _:
                pass  # the end of a process before this one


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Let it end its own worker; end it ourselves if it does not."""
    process.terminate()
    try:
        process.wait(_STOP_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _refused(build: Build, code: int, log: Path) -> MachineError | UsageError:
    """One line with the last that it said; a wrong option of ours is a wrong option of its."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    said = next((line for line in reversed(lines) if line.strip()), "it said nothing")
    kind = UsageError if code == ExitCode.USAGE else MachineError
    return kind(f"{build.label}: bench run ended with {code}: {said.removeprefix('bench: ')}")
