"""The name of each code that a record contains: verdicts, provenances, weights, attention, outcomes."""

from collections.abc import Mapping
from typing import Final, Literal

from bench.records.enums import (
    Attention,
    AttentionKernel,
    OperatingSystem,
    Provenance,
    Status,
    Verdict,
    WeightMode,
)
from bench.records.prediction import PlannedSystem

VERDICTS: Final[Mapping[Verdict, str]] = {
    Verdict.RUNS: "Runs",
    Verdict.RUNS_HEADLESS: "Runs on a headless card",
    Verdict.TOO_CLOSE_TO_CALL: "Too close to call",
    Verdict.DOES_NOT_FIT: "Does not fit",
    Verdict.UNSUPPORTED: "Unsupported",
    Verdict.UNKNOWN: "Unknown",
}
_PREDICTED: Final[Mapping[Verdict, str]] = {
    Verdict.RUNS: "Fits",
    Verdict.RUNS_HEADLESS: "Fits on a headless card",
}


PIPELINE_WORKS: Final = "The pipeline works"
"""Headline of a smoke run in which all supported cells ran. It says nothing about the real model."""


def headline(verdict: Verdict, provenance: Provenance) -> str:
    """Return the name of a verdict; a predicted cell fits, a measured one runs."""
    return (
        _PREDICTED.get(verdict, VERDICTS[verdict]) if provenance is Provenance.DERIVED else VERDICTS[verdict]
    )


def suite(name: str, version: str, origin: Literal["shipped", "own"] | None) -> str:
    """`standard 1`, `standard 1 (own suite)`: the latter is not one that bench ships under that name."""
    return f"{name} {version} (own suite)" if origin == "own" else f"{name} {version}"


PREDICTED_CELLS: Final[Mapping[Verdict, str]] = {
    Verdict.RUNS: "fits",
    Verdict.RUNS_HEADLESS: "headless only",
    Verdict.TOO_CLOSE_TO_CALL: "too close to call",
    Verdict.DOES_NOT_FIT: "does not fit",
    Verdict.UNSUPPORTED: "unsupported",
    Verdict.UNKNOWN: "predicted",
}
"""The verdict of one predicted cell."""

LIKELIHOOD: Final[Mapping[bool | None, str]] = {
    True: "likely fits",
    False: "probably not",
    None: "too close to call",
}
"""A cell that is too close to call, by whether it likely fits; None where no typical figures are known."""

PROVENANCES: Final[Mapping[Provenance, str]] = {
    Provenance.MEASURED: "measured on this device",
    Provenance.DERIVED: "predicted, nothing was run",
    Provenance.EMULATED: "emulated memory limit",
    Provenance.SMOKE: "smoke run",
}

WEIGHTS: Final[Mapping[WeightMode, str]] = {
    WeightMode.HUB: "published weights",
    WeightMode.LOCAL: "local weights",
    WeightMode.RANDOM: "random weights",
    WeightMode.TINY: "tiny model, random weights",
}

ATTENTIONS: Final[Mapping[Attention, str]] = {
    Attention.EAGER: "eager attention",
    Attention.SDPA: "SDPA",
    Attention.FLASH_ATTENTION_2: "FlashAttention 2",
}

KERNELS: Final[Mapping[AttentionKernel, str]] = {
    "flash": "flash",
    "memory_efficient": "memory-efficient",
    "cudnn": "cuDNN",
    "math": "math",
    "eager": "eager",
}

SYSTEMS: Final[Mapping[OperatingSystem, str]] = {"linux": "Linux", "windows": "Windows", "wsl2": "WSL2"}


def system(planned: PlannedSystem) -> str:
    """`Windows with torch 2.13`."""
    return f"{SYSTEMS[planned.os]} with torch {planned.torch}"


NO_CLIP: Final = "no clip"
UNCERTAIN: Final = "uncertain"
NEVER: Final = "never"
"""A predicted limit that no clip reaches: every clip may fit."""
_SHORTEST_S: Final = 1.0  # of a predicted line


def no_length(misfit_s: float | None) -> str:
    """Word for a longest clip that is not known: `no clip` where even the shortest does not fit."""
    return NO_CLIP if misfit_s is not None and misfit_s <= _SHORTEST_S else UNCERTAIN


STATUSES: Final[Mapping[Status, str]] = {
    "measured": "ran",
    "predicted": "predicted",
    "out_of_memory": "out of memory",
    "unsupported": "unsupported",
    "failed": "failed",
    "timeout": "timed out",
    "skipped": "skipped",
}
