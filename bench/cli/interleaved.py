"""`bench compare --interleave`: runs two builds in alternation, and prints their progress."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.cli.streams import echo
from bench.errors import BenchError, UsageError

if TYPE_CHECKING:
    from bench.compare.gates import Gate
    from bench.interleave.builds import Build
    from bench.interleave.pairs import Granularity, Pair
    from bench.records.comparison import Comparison
    from bench.records.record import Record

ROUNDS: Final = 40
"""Largest number of pairs of runs. docs/comparing.md has the changes that so many detect."""

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
    """Options of the alternation; None is the default."""

    rounds: int | None
    turns: str | None
    out: Path | None


def interleaved(
    places: Sequence[Path],
    run_options: Mapping[str, str | None],
    options: Alternation,
    gates: "Sequence[Gate]",
) -> "tuple[Comparison | None, int]":
    """Run the remaining pairs, and return the comparison and the number of an interrupting signal, or 0.

    The comparison is None if a signal came before the first pair was complete.

    Raises:
        BenchError: a build could not run, or no pair was finished.
    """
    from bench.interleave.builds import build_at

    if len(places) != 2:
        raise UsageError(
            "--interleave takes two environments", hint="Use: bench compare --interleave BASE_ENV NEW_ENV"
        )
    builds = build_at("base", places[0]), build_at("new", places[1])
    folder = options.out or Path("interleaved", datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"))
    task = Task(
        builds, folder, options.rounds or ROUNDS, tuple(gates), _by(options.turns, run_options["device"])
    )
    pairs, signal_number = _run(task, run_arguments(run_options))
    echo(f"{len(pairs)} pairs are in {folder}; with --out {folder} a later run goes on from them", err=True)
    if signal_number and not pairs:
        return None, signal_number
    return _compared(task, pairs), signal_number


@dataclass(frozen=True, slots=True)
class Task:
    """Two builds, the folder and the largest number of their pairs, and the gates."""

    builds: "tuple[Build, Build]"
    folder: Path
    rounds: int
    gates: "tuple[Gate, ...]"
    by: "Granularity"


def _by(turns: str | None, device: str | None) -> "Granularity":
    """Return the requested granularity; by default generations on the CPU, else runs.

    Raises:
        UsageError: generations on a card, whose memory two models would share, or on Windows.
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
            hint="Use --turns run: on a card, two models would share the memory",
        )
    return by


def _run(task: Task, arguments: Sequence[str]) -> "tuple[list[Pair], int]":
    """Return the earlier and new pairs of the folder, and the number of an interrupting signal, or 0."""
    from bench.interleave.pairs import alternate, kept_pairs
    from bench.run.isolation import Stopped

    pairs = kept_pairs(task.folder)
    if pairs:
        echo(f"{len(pairs)} of {task.rounds} pairs are in {task.folder} already", err=True)
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
    """True when further pairs cannot change a decision. False unless each build came first equally often."""
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
    """Return the given options for `bench run`, and no others: an older build may lack them."""
    given = [(f"--{name.replace('_', '-')}", run_options[name]) for name in RUN_OPTIONS]
    return [word for name, value in given if value is not None for word in (name, value)]


def _require_one_kind(pairs: "Sequence[Pair]", folder: Path) -> None:
    """Check that all pairs of a folder are of the same two builds and the same cells.

    Raises:
        UsageError: they are not.
    """
    from bench.compare.sides import side_of

    sides = [pair.base for pair in pairs], [pair.new for pair in pairs]
    suites = {record.suite.sha256 for records in sides for record in records}
    if len(suites) > 1 or any(side_of(str(folder), records).left_out for records in sides):
        raise UsageError(
            f"{folder}: contains runs of another build, device or suite", hint="Choose another --out"
        )


class Lines:
    """Prints a line at the begin and at the end of each process."""

    def run_begins(self, build: "Build", number: int, total: int) -> None:
        """Print build and number."""
        echo(f"[{number}/{total}] {build.name}: {build.label}", err=True)

    def run_ends(self, build: "Build", number: int, total: int, record: "Record") -> None:
        """Print the outcome of the first cell."""
        from bench.cli.display import outcome_of

        if record.cells:
            outcome = outcome_of(record.cells[0], record.device)
            echo(f"[{number}/{total}] {build.name}: {outcome}", err=True)
