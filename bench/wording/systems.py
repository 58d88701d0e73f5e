"""The system of a prediction, in words."""

from bench.records.prediction import PlannedSystem
from bench.wording.labels import SYSTEMS


def named(system: PlannedSystem) -> str:
    """`Windows with torch 2.13`."""
    return f"{SYSTEMS[system.os]} with torch {system.torch}"
