"""The words of a record: closed sets of names, the same in JSON, on the command line and in reports."""

from enum import StrEnum
from typing import Final, Literal

PUBLISHER: Final = "OpenMOSS-Team"
"""Whose repositories on the Hub hold the released weights."""


class Provenance(StrEnum):
    """Where a figure comes from. Never mixed in one comparison."""

    MEASURED = "measured"
    DERIVED = "derived"
    EMULATED = "emulated"
    SMOKE = "smoke"


class WeightMode(StrEnum):
    """Kind of the loaded weights."""

    HUB = "hub"
    LOCAL = "local"
    RANDOM = "random"
    TINY = "tiny"


class Attention(StrEnum):
    """Attention backends of the language model, under the names that transformers uses."""

    EAGER = "eager"
    SDPA = "sdpa"
    FLASH_ATTENTION_2 = "flash_attention_2"


class EncoderAttention(StrEnum):
    """Attention backends of the audio encoder. Upstream always runs eager here."""

    EAGER = "eager"
    SDPA = "sdpa"


class Profile(StrEnum):
    """How the native engine runs: as upstream does, or with the settings that save memory."""

    FAITHFUL = "faithful"
    LEAN = "lean"


class Phase(StrEnum):
    """The phases of one generation, in order; `load` comes before the first."""

    LOAD = "load"
    PREPROCESS = "preprocess"
    ENCODE = "encode"
    PREFILL = "prefill"
    DECODE = "decode"


class Label(StrEnum):
    """Marks of a cell that ran, where its figures are not those of the undisturbed card."""

    NOISY = "noisy"
    CONTENDED = "contended"
    THROTTLED = "throttled"
    SPILLED = "spilled"


class Fit(StrEnum):
    """Whether an interval of bytes fits a budget: only the whole interval says yes or no."""

    FITS = "fits"
    DOES_NOT_FIT = "does_not_fit"
    TOO_CLOSE_TO_CALL = "too_close_to_call"


class Verdict(StrEnum):
    """Answer to whether the model runs on the device."""

    RUNS = "runs"
    RUNS_HEADLESS = "runs_headless"
    TOO_CLOSE_TO_CALL = "too_close_to_call"
    DOES_NOT_FIT = "does_not_fit"
    UNSUPPORTED = "unsupported"
    UNKNOWN = "unknown"


SdpaKernel = Literal["flash", "memory_efficient", "cudnn", "math"]
"""The kernels among which torch chooses for SDPA; on a CPU `flash` is its fused kernel.

`math` are separate operators, which store the scores of all pairs of positions.
"""
AttentionKernel = Literal["flash", "memory_efficient", "cudnn", "math", "eager"]
"""The kernel of the language model: `eager` is transformers' own, `flash` includes FlashAttention 2."""
SdpaGrouping = Literal["grouped", "ungrouped"]
"""A call of SDPA: with fewer heads of keys than of queries (`enable_gqa`), or with as many of both.

Ungrouped, a prompt repeats keys and values, and a decode step puts the heads of a group where positions are.
"""
OperatingSystem = Literal["linux", "windows", "wsl2"]
"""The system that a prediction is for: WSL2 has the kernels of Linux and the memory of Windows."""

Status = Literal["measured", "predicted", "out_of_memory", "unsupported", "failed", "timeout", "skipped"]
"""The outcome of a cell."""
PeakMetric = Literal[
    "process_peak_bytes",
    "device_peak_bytes",
    "reserved_peak_bytes",
    "allocated_peak_bytes",
    "resident_peak_bytes",
]
"""Figures of the most memory that a cell took, under the names of a summary."""
