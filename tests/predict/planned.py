"""Derived records of a small model."""

from pathlib import Path

from bench.hardware.budget import BudgetKind
from bench.predict.planner import Planner, plan_request
from bench.predict.target import targets
from bench.records.prediction import PlannedSystem
from bench.records.record import Record
from bench.run.run_spec import RunOptions

LINUX = PlannedSystem(os="linux", torch="2.13")
SMALL = {"suite": "quick", "clip_seconds": (4.0, 20.0, 60.0), "max_tokens": (8, 32)}


def derived_records(
    model: Path,
    *names: str,
    headroom: BudgetKind | None = None,
    system: PlannedSystem = LINUX,
    **changes: object,
) -> list[Record]:
    options = RunOptions(**{**SMALL, "model": str(model), **changes})  # type: ignore[arg-type]
    planner = Planner(plan_request(options), headroom)
    return [planner.record(target) for target in targets(names, system)]
