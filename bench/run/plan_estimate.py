"""The estimate for a plan: the shapes of its model, and the rates of its device."""

import json
import os
from collections.abc import Mapping
from typing import Final

import psutil

from bench import shipped
from bench.arithmetic.shapes import Shapes, shapes_of
from bench.errors import BenchError
from bench.records.enums import WeightMode
from bench.run.estimate import Estimate, card_rates, cpu_rates
from bench.run.run_spec import Origin, Plan, is_released
from bench.weights.checkpoint import read_json
from bench.weights.tiny import tiny_config

NO_SHAPES: Final = "the shapes of this model are not known before its download"
NO_RATES: Final = "the catalog has no rates of this card"


def estimate_of(plan: Plan) -> Estimate | str:
    """Return the estimate for the cells of a plan, or why there is none."""
    shapes = model_shapes(plan.origin)
    if shapes is None:
        return NO_SHAPES
    rates = (
        card_rates(plan.device.entry)
        if plan.device.kind == "cuda"
        else cpu_rates(_threads(plan.origin), plan.suite.dtype)
    )
    return NO_RATES if rates is None else Estimate(shapes, plan.suite.measure, rates)


def model_shapes(origin: Origin) -> Shapes | None:
    """Return the shapes of a plan's model; None where its configuration is not here yet."""
    try:
        config = _config(origin)
        return None if config is None else shapes_of(config)
    except BenchError:  # the check of the weights reports it
        return None


def _config(origin: Origin) -> Mapping[str, object] | None:
    if origin.weight_mode is WeightMode.TINY:
        return tiny_config()
    if origin.directory is not None:
        return read_json(origin.directory / "config.json")
    if not is_released(origin.name):
        return None
    shapes: dict[str, object] = json.loads(shipped.data("models", f"{origin.name}.json").read_bytes())
    return shapes


def _threads(origin: Origin) -> int:
    """Return the threads that torch will use: OMP_NUM_THREADS, else the cores that this process may use.

    The engine runs the tiny model on one.
    """
    if origin.weight_mode is WeightMode.TINY:
        return 1
    stated = os.environ.get("OMP_NUM_THREADS", "")
    if stated.isdecimal() and int(stated[:4]) > 0:
        return int(stated[:4])
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(psutil.cpu_count(logical=False) or allowed, allowed))
