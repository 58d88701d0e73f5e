"""View types for predictions, in words: one cell, and a derived record as a whole.

Every string has passed `text.clean`, and is still untrusted. Raw values are kept for CSV and `check.json`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench.records.check import CheckEnvelope
from bench.records.enums import Fit, Verdict
from bench.records.prediction import Comparison, Envelope
from bench.report.basics import Fact, Status

TERMS: Final = {
    "device_peak_bytes": "Needed",
    "weights_bytes": "Weights",
    "kv_cache_bytes": "KV cache",
    "activations_peak_bytes": "Activations",
    "workspace_peak_bytes": "Workspace",
    "convolution_workspace_bytes": "cuDNN",
    "allocated_peak_bytes": "Allocated",
    "reserved_peak_bytes": "Reserved",
    "context_bytes": "CUDA context",
}
"""Headings of the memory terms, by their names in a record; the first is what a card must have."""

MEANING: Final = (
    "Needed of the card is reserved and CUDA context. The KV cache is that at the end of the answer; "
    "activations and workspace are the most that each takes at once, cuDNN what convolutions may take beyond "
    "that. These peak at different times and need not add up. Allocated is the most of everything at once, "
    "without cuDNN; reserved is what the modelled allocator holds for it."
)

CEILINGS: Final = {
    "decode_tokens_per_s": "Decode at most",
    "encode_s": "Encode at least",
    "prefill_s": "Prefill at least",
    "time_to_first_token_s": "First token at least",
    "latency_s": "Latency at least",
}


@dataclass(frozen=True, slots=True)
class PhaseTerms:
    """One phase at its highest. The four terms and the weights add up to `allocated`.

    `operator` is in plain words, `raw` as the record names it.
    """

    name: str
    allocated: str
    buffers: str
    cache: str
    activations: str
    workspace: str
    operator: str
    raw: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """One predicted cell.

    `fit` says in one word whether it fits: its code is a verdict, its reason says why. `also` adds what the
    word does not say, such as `desktop: likely fits`. `peak` is the range that a card must have; on a
    CPU the allocated memory. `at_peak` is the phase and operator of the peak, `dominant` the largest term
    there other than the weights; both are empty if not known. `terms` has every name of `TERMS`, `ceiling`
    every name of `CEILINGS`.
    """

    verdict: Verdict
    fit: Status
    also: str
    headless: Fit | None
    desktop: Fit | None
    headless_likely: bool | None
    desktop_likely: bool | None
    peak: str
    at_peak: str
    dominant: str
    terms: Mapping[str, str]
    phases: tuple[PhaseTerms, ...]
    ceiling: Mapping[str, str]
    envelope: Envelope | CheckEnvelope | None


@dataclass(frozen=True, slots=True)
class Compared:
    """A prediction compared with one measured record; `comparison` has the raw values."""

    comparison: Comparison
    record: str
    metric: str
    cells: str
    inside: str
    factor: str
    spread: str


@dataclass(frozen=True, slots=True)
class Derived:
    """Parts of a view that only a derived record has.

    `units_line` has card and weights in both units. `tiles` are the card, the weights and the budgets as
    ranges, `room_line` the budgets in one line. `inside_line` is the share of measured cells inside the
    interval before calibration; empty without any.
    """

    units_line: str
    tiles: tuple[Fact, ...]
    room_line: str
    shows_headless: bool
    shows_desktop: bool
    how: tuple[Fact, ...]
    how_lines: tuple[str, ...]
    compared: tuple[Compared, ...]
    inside_line: str

    @property
    def has_frontier(self) -> bool:
        """True if the longest clip is known for any budget."""
        return self.shows_headless or self.shows_desktop
