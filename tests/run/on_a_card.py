"""A run on a card that only the driver knows: `python -m tests.run.on_a_card OUT [bench run options]`.

The driver is asked about the card, and the model runs on the CPU: with `tests/fake_driver` as the driver, all
of a run but the card itself is real. Prints the record's path; exits as `bench run` would.
"""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import click

from bench.cli.options import FILE, axis_options, device_options, emulation_option, model_options
from bench.errors import BenchError, ExitCode
from bench.records.cell import CellResult
from bench.records.enums import Profile
from bench.run import runner
from bench.run.fetch import fetch
from bench.run.protocol import Step
from bench.run.run_spec import RunOptions, make_plan, refuse_to_choose
from bench.run.session import RunPolicy
from bench.suite.cells import Cell
from bench.weights.interface import quiet
from tests.fake_driver.driver import environment_of
from tests.run.processes import environment


class Silent:
    """A listener that shows nothing."""

    def cell_begins(self, cell: Cell, number: int, total: int) -> None:
        pass

    def step_begins(self, step: Step) -> None:
        pass

    def cell_ends(self, result: CellResult) -> None:
        pass


def played(
    scenario: str | Path, *arguments: str, library: Path, home: Path, out: Path
) -> "tuple[subprocess.CompletedProcess[str], dict[str, Any]]":
    """Run this program under a scenario of the fake driver: how it ended, and the JSON of its record."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.run.on_a_card", str(out), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        env=environment(home) | environment_of(scenario, library),
        check=False,
        timeout=240,
    )
    assert ended.stdout, ended.stderr
    return ended, json.loads(Path(ended.stdout.strip()).read_text(encoding="utf-8"))


@click.command()
@click.argument("out", type=FILE)
@click.option("--suite")
@device_options
@model_options
@click.option("--profile")
@axis_options
@click.option("--audio", type=FILE)
@emulation_option
@click.option("--repeats", type=int)
@click.option("--isolate", default="group")
@click.option("--no-prune", is_flag=True)
@click.option("--settle-limit", type=float, default=15.0)
def main(
    *,
    out: Path,
    isolate: Literal["group", "cell"],
    no_prune: bool,
    settle_limit: float,
    yes: bool,
    **given: Any,
) -> ExitCode:
    """Run and print where the record is."""
    profile = given["profile"]
    options = RunOptions(**{**given, "profile": Profile(profile) if profile is not None else None})
    plan = replace(make_plan(options, refuse_to_choose), compute_on="cpu")
    weights = fetch(plan.origin, lambda *_: None, quiet)
    policy = RunPolicy(isolate=isolate, prune=not no_prune, settle_limit_s=settle_limit)
    result = runner.run(plan, weights, policy, runner.OutputLocation(out), Silent())
    click.echo(result.path)
    failed = any(cell.outcome.status in {"failed", "timeout"} for cell in result.record.cells)
    return ExitCode.CELLS_FAILED if failed else ExitCode.DONE


if __name__ == "__main__":
    try:
        sys.exit(main(standalone_mode=False))
    except BenchError as error:
        click.echo(f"bench: {error}", err=True)
        sys.exit(error.exit_code)
