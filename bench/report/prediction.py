"""A prediction as every format shows it, in words: of one cell, and of a derived record as a whole.

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
"""What a cell takes, under the names of the record; the first is what a card must have."""

MEANING: Final = (
    "Needed of the card is reserved and CUDA context. The KV cache is that at the end of the answer; "
    "activations and workspace are the most that each takes at once, cuDNN what convolutions may take beyond "
    "that. These peak at different moments and need not add up. Allocated is the most of everything at once, "
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

    `fit` says in one word whether it fits: its code is a verdict, its reason why. `also` is what the word
    leaves open, such as `desktop: too close to call`. `peak` is the range that a card must have; on
    a CPU what is allocated. `at_peak` is the phase and operation of the peak, `dominant` the largest term at
    that moment beside the weights, empty where nothing tells. `terms` has every name of `TERMS`, `ceiling`
    every name of `CEILINGS`.
    """

    verdict: Verdict
    fit: Status
    also: str
    headless: Fit | None
    desktop: Fit | None
    peak: str
    at_peak: str
    dominant: str
    terms: Mapping[str, str]
    phases: tuple[PhaseTerms, ...]
    ceiling: Mapping[str, str]
    envelope: Envelope | CheckEnvelope | None


@dataclass(frozen=True, slots=True)
class Compared:
    """A prediction held against one measured record; `comparison` has the same raw."""

    comparison: Comparison
    record: str
    metric: str
    cells: str
    inside: str
    factor: str
    spread: str


@dataclass(frozen=True, slots=True)
class Derived:
    """What a derived record says as a whole.

    `units_line` settles which unit is meant. `tiles` are the card, the weights and the budgets as ranges,
    `room_line` the budgets in one line.
    """

    units_line: str
    tiles: tuple[Fact, ...]
    room_line: str
    shows_headless: bool
    shows_desktop: bool
    how: tuple[Fact, ...]
    how_lines: tuple[str, ...]
    compared: tuple[Compared, ...]

    @property
    def has_frontier(self) -> bool:
        """Whether there is a room that a longest clip could be told for."""
        return self.shows_headless or self.shows_desktop
