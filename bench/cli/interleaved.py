"""`bench compare --interleave`: two builds in alternation, and what is said while they run."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bench.errors import BenchError, UsageError

if TYPE_CHECKING:
    from bench.compare.gates import Gate
    from bench.interleave.builds import Build
    from bench.interleave.pairs import Granularity, Pair
    from bench.records.comparison import Comparison
    from bench.records.record import Record

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


@dataclass(frozen=True, slots=True)
class Alternation:
    """How the command line wants it; None leaves it to us."""

    rounds: int | None
    turns: str | None
    out: Path | None


def interleaved(
    places: Sequence[Path],
    run_options: Mapping[str, str | None],
    options: Alternation,
    gates: "Sequence[Gate]",
) -> "tuple[Comparison | None, int]":
    """Run both builds, or what is left of it, and compare; the number of the signal that cut it short, or 0.

    The comparison is None where a signal came before the first pair was complete.

    Raises:
        BenchError: a build could not run, or no pair was finished.
    """
    from bench.interleave.builds import build_at

    if len(places) != 2:
        raise UsageError(
            "--interleave takes two environments", hint="bench compare --interleave BASE_ENV NEW_ENV"
        )
    builds = build_at("base", places[0]), build_at("new", places[1])
    folder = options.out or Path("interleaved", datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"))
    task = Task(
        builds, folder, options.rounds or ROUNDS, tuple(gates), _by(options.turns, run_options["device"])
    )
    pairs, signal_number = _run(task, run_arguments(run_options))
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
    by: "Granularity"


def _by(turns: str | None, device: str | None) -> "Granularity":
    """As asked; else by generation on the CPU, where two runs do not share a card's memory.

    Raises:
        UsageError: by generation, and not on the CPU; or on Windows, whose Python lacks the sockets.
    """
    from bench.interleave.pairs import Granularity

    is_possible = device == "cpu" and os.name != "nt"
    by = (
        Granularity(turns)
        if turns is not None
        else Granularity.GENERATION
        if is_possible
        else Granularity.RUN
    )
    if by is Granularity.GENERATION and not is_possible:
        raise UsageError(
            "--turns generation needs --device cpu, and not Windows",
            hint="On a card, whose memory two models would share, use --turns run",
        )
    return by


def _run(task: Task, arguments: Sequence[str]) -> "tuple[list[Pair], int]":
    """The pairs that the folder held and those that were run now, and the signal that cut it short, or 0."""
    from bench.interleave.pairs import alternate, kept_pairs
    from bench.run.isolation import Stopped

    pairs = kept_pairs(task.folder)
    if pairs:
        click.echo(f"{len(pairs)} of {task.rounds} pairs are in {task.folder} already", err=True)
    if _may_stop(task, pairs):
        return pairs, 0
    try:
        for pair in alternate(task.builds, arguments, task.folder, task.rounds, Lines(), by=task.by):
            pairs.append(pair)
            if _may_stop(task, pairs):
                break
    except Stopped as stopped:
        return pairs, stopped.signal_number
    except BenchError as error:
        kept = f"{len(pairs)} pairs are kept in {task.folder}"
        raise type(error)(error.message, hint=". ".join(filter(None, (error.hint, kept)))) from error
    return pairs, 0


def _may_stop(task: Task, pairs: "Sequence[Pair]") -> bool:
    """True when further pairs cannot change a decision; only where both builds came first equally often."""
    from bench.compare.stopping_rule import FEWEST_PAIRS, may_stop

    if not task.gates or len(pairs) < FEWEST_PAIRS or len(pairs) % 2:
        return False
    return may_stop(_compared(task, pairs), task.gates)


def _compared(task: Task, pairs: "Sequence[Pair]") -> "Comparison":
    from bench.compare.compare import compare_pairs

    _require_one_kind(pairs, task.folder)
    labels = task.builds[0].label, task.builds[1].label
    return compare_pairs([(pair.base, pair.new) for pair in pairs], labels, task.gates)


def run_arguments(run_options: Mapping[str, str | None]) -> list[str]:
    """What was asked for, as `bench run` takes it; nothing else, for an older build may not know more."""
    given = [(f"--{name.replace('_', '-')}", run_options[name]) for name in RUN_OPTIONS]
    return [word for name, value in given if value is not None for word in (name, value)]


def _require_one_kind(pairs: "Sequence[Pair]", folder: Path) -> None:
    """The pairs of a folder that was gone on with are of the same two builds and ran the same cells."""
    from bench.compare.sides import side_of

    sides = [pair.base for pair in pairs], [pair.new for pair in pairs]
    suites = {record.suite.sha256 for records in sides for record in records}
    if len(suites) > 1 or any(side_of(str(folder), records).left_out for records in sides):
        raise UsageError(
            f"{folder}: holds runs of another build, device or suite", hint="Choose another --out"
        )


class Lines:
    """One line when a process starts and one when it has ended."""

    def run_begins(self, build: "Build", number: int, total: int) -> None:
        """Say which."""
        click.echo(f"[{number}/{total}] {build.name}: {build.label}", err=True)

    def run_ends(self, build: "Build", number: int, total: int, record: "Record") -> None:
        """Say how it went, by its first cell."""
        from bench.cli.display import outcome_of

        if record.cells:
            outcome = outcome_of(record.cells[0], record.device)
            click.echo(f"[{number}/{total}] {build.name}: {outcome}", err=True)
