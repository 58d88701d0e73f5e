"""`bench compare --interleave`: two builds in alternation, and what is said while they run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bench.errors import BenchError, UsageError

if TYPE_CHECKING:
    from bench.judge.compare.gates import Gate
    from bench.records.comparison import Comparison
    from bench.records.schema import Record
    from bench.run.interleave import Build, Pair

ROUNDS: Final = 40
"""Pairs of runs at most. docs/comparing.md says what they catch."""

RUN_OPTIONS: Final = (
    "suite",
    "gpu",
    "device",
    "model",
    "weights",
    "profile",
    "clip_seconds",
    "max_tokens",
    "attention",
    "repeats",
)


def interleaved(
    places: Sequence[Path],
    wished: Mapping[str, str | None],
    out: Path | None,
    rounds: int,
    gates: "Sequence[Gate]",
) -> "tuple[Comparison | None, int]":
    """Run both builds, or what is left of it, and compare; the number of the signal that cut it short, or 0.

    The comparison is None where a signal came before the first pair was complete.

    Raises:
        BenchError: a build could not run, or no pair was finished.
    """
    from bench.run.interleave import build_at

    if len(places) != 2:
        raise UsageError(
            "--interleave takes two environments", hint="bench compare --interleave BASE_ENV NEW_ENV"
        )
    builds = build_at("base", places[0]), build_at("new", places[1])
    folder = out or Path("interleaved", datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"))
    task = Task(builds, folder, rounds, tuple(gates))
    pairs, signal_number = _run(task, run_arguments(wished))
    click.echo(
        f"{len(pairs)} pairs are in {folder}; with --out {folder} a later run goes on from them", err=True
    )
    if signal_number and not pairs:
        return None, signal_number
    return _compared(task, pairs), signal_number


@dataclass(frozen=True, slots=True)
class Task:
    """Two builds, where their pairs go, how many at most, and what they are held against."""

    builds: "tuple[Build, Build]"
    folder: Path
    rounds: int
    gates: "tuple[Gate, ...]"


def _run(task: Task, arguments: Sequence[str]) -> "tuple[list[Pair], int]":
    """The pairs that the folder held and those that were run now, and the signal that cut it short, or 0."""
    from bench.run.interleave import alternate, kept_pairs
    from bench.run.isolation import Stopped

    pairs = kept_pairs(task.folder)
    if pairs:
        click.echo(f"{len(pairs)} of {task.rounds} pairs are in {task.folder} already", err=True)
    if _is_enough(task, pairs):
        return pairs, 0
    try:
        for pair in alternate(task.builds, arguments, task.folder, task.rounds, Lines()):
            pairs.append(pair)
            if _is_enough(task, pairs):
                break
    except Stopped as stopped:
        return pairs, stopped.signal_number
    except BenchError as error:
        kept = f"{len(pairs)} pairs are kept in {task.folder}"
        raise type(error)(error.message, hint=". ".join(filter(None, (error.hint, kept)))) from error
    return pairs, 0


def _is_enough(task: Task, pairs: "Sequence[Pair]") -> bool:
    """Whether more pairs would tell no more of the gates; only where both builds came first equally often."""
    from bench.judge.compare.enough import FEWEST_PAIRS, is_enough

    if not task.gates or len(pairs) < FEWEST_PAIRS or len(pairs) % 2:
        return False
    return is_enough(_compared(task, pairs), task.gates)


def _compared(task: Task, pairs: "Sequence[Pair]") -> "Comparison":
    from bench.judge.compare.compare import compare_pairs

    _require_one_kind(pairs, task.folder)
    labels = task.builds[0].label, task.builds[1].label
    return compare_pairs([(pair.base, pair.new) for pair in pairs], labels, task.gates)


def run_arguments(wished: Mapping[str, str | None]) -> list[str]:
    """What was asked for, as `bench run` takes it; nothing else, for an older build may not know more."""
    given = [(f"--{name.replace('_', '-')}", wished[name]) for name in RUN_OPTIONS]
    return [word for name, value in given if value is not None for word in (name, value)]


def _require_one_kind(pairs: "Sequence[Pair]", folder: Path) -> None:
    """The pairs of a folder that was gone on with are of the same two builds and ran the same cells."""
    from bench.judge.compare.sides import side_of

    sides = [pair.base for pair in pairs], [pair.new for pair in pairs]
    suites = {record.suite.sha256 for records in sides for record in records}
    if len(suites) > 1 or any(side_of(str(folder), records).left_out for records in sides):
        raise UsageError(
            f"{folder}: holds runs of another build, device or suite", hint="Choose another --out"
        )


class Lines:
    """One line when a process starts and one when it has ended."""

    def __init__(self) -> None:
        self._head = ""

    def run_begins(self, build: "Build", number: int, total: int) -> None:
        """Say which."""
        self._head = f"[{number}/{total}] {build.name}"
        click.echo(f"{self._head}: {build.label}", err=True)

    def run_ends(self, record: "Record") -> None:
        """Say how it went, by its first cell."""
        from bench.cli.display import outcome_of

        if record.cells:
            click.echo(f"{self._head}: {outcome_of(record.cells[0], record.device)}", err=True)
