"""Two builds of bench in alternation: pairs of fresh processes, in the order ABBA.

A drift of the machine within a minute then affects both builds alike, and a difference between processes
shows between pairs. By generation both processes of a pair run at the same time and take turns: then a
drift within a second affects both as well.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from bench.interleave.builds import Build, run_together
from bench.interleave.turns import EventQueue, listen
from bench.records.record import Record
from bench.run.signals import signals_to
from bench.store import naming
from bench.store.record_files import read_record, require_writable


class Granularity(StrEnum):
    """Unit of the alternation: whole runs, or the generations of two parallel runs."""

    RUN = "run"
    GENERATION = "generation"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records that were made one after the other."""

    base: Record
    new: Record


class Listener(Protocol):
    """Notified of the progress of the runs."""

    def run_begins(self, build: Build, number: int, total: int) -> None:
        """A process of one build starts, for pair `number` of `total`."""

    def run_ends(self, build: Build, number: int, total: int, record: Record) -> None:
        """The process has ended with this record."""


def kept_pairs(out: Path) -> list[Pair]:
    """The pairs that `out` contains, from earlier runs too.

    Raises:
        RecordError: one of them cannot be read.
    """
    return [
        Pair(*(read_record(naming.pair_record(out, side, number)) for side in ("base", "new")))
        for number in naming.pair_numbers(out)
    ]


def alternate(
    builds: tuple[Build, Build],
    arguments: Sequence[str],
    out: Path,
    rounds: int,
    listener: Listener,
    *,
    by: Granularity = Granularity.RUN,
) -> Iterator[Pair]:
    """Run both builds until `out` contains `rounds` pairs; yields each new pair when it is complete.

    Raises:
        MachineError, UsageError: a build could not run, or takes no turns; what was done is kept.
        Stopped: a signal came; what was done is kept.
    """
    require_writable(out)
    events = EventQueue()
    with (
        signals_to(events.put),
        _addresses(builds if by is Granularity.GENERATION else (), events) as addresses,
    ):
        for number in range(len(kept_pairs(out)) + 1, rounds + 1):
            order = builds if number % 2 else builds[::-1]
            with TemporaryDirectory(prefix=".running-", dir=out) as folder:
                made: dict[str, Path] = {}
                for together in (order,) if addresses else ((build,) for build in order):
                    for build in together:
                        listener.run_begins(build, number, rounds)
                    made |= run_together(together, arguments, Path(folder), addresses, events)
                    for build in together:
                        listener.run_ends(build, number, rounds, read_record(made[build.name]))
                # Only now: a run that is cut short leaves no half of a pair.
                kept = [
                    _keep(made[build.name], naming.pair_record(out, build.name, number)) for build in builds
                ]
            yield Pair(*map(read_record, kept))


@contextmanager
def _addresses(builds: Sequence[Build], events: EventQueue) -> Iterator[dict[str, Path]]:
    """The socket of each build for its turns, in a folder with a short path."""
    with TemporaryDirectory(prefix="bench-turns-") as folder:
        yield {build.name: listen(build.name, Path(folder), events) for build in builds}


def _keep(record: Path, place: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    return record.replace(place)
