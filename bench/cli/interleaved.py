"""`bench compare --interleave`: two builds in alternation, and what is said while they run."""

from collections.abc import Mapping, Sequence
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

ROUNDS: Final = 16
"""Pairs of runs. docs/comparing.md says what it catches."""

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
    from bench.judge.compare.compare import compare_pairs
    from bench.run.interleave import build_at

    if len(places) != 2:
        raise UsageError(
            "--interleave takes two environments", hint="bench compare --interleave BASE_ENV NEW_ENV"
        )
    builds = build_at("base", places[0]), build_at("new", places[1])
    folder = out or Path("interleaved", datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"))
    pairs, signal_number = _run(builds, run_arguments(wished), folder, rounds)
    click.echo(
        f"{len(pairs)} pairs are in {folder}; with --out {folder} a later run goes on from them", err=True
    )
    if signal_number and not pairs:
        return None, signal_number
    _require_one_kind(pairs, folder)
    labels = builds[0].label, builds[1].label
    return compare_pairs([(pair.base, pair.new) for pair in pairs], labels, gates), signal_number


def _run(
    builds: "tuple[Build, Build]", arguments: Sequence[str], folder: Path, rounds: int
) -> "tuple[list[Pair], int]":
    """The pairs that the folder held and those that were run now, and the signal that cut it short, or 0."""
    from bench.run.interleave import alternate, kept_pairs
    from bench.run.isolation import Stopped

    pairs = kept_pairs(folder)
    if pairs:
        click.echo(f"{len(pairs)} of {rounds} pairs are in {folder} already", err=True)
    try:
        for pair in alternate(builds, arguments, folder, rounds, Lines()):
            pairs.append(pair)
    except Stopped as stopped:
        return pairs, stopped.signal_number
    except BenchError as error:
        kept = f"{len(pairs)} pairs are kept in {folder}"
        raise type(error)(error.message, hint=". ".join(filter(None, (error.hint, kept)))) from error
    return pairs, 0


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
