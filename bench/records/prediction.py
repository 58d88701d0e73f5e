"""Predictions, without running anything: memory term by term, ceilings of speed, what fits."""

from typing import Final, Literal

from pydantic import Field

from bench.records.base import ByteInterval, Bytes, Frozen, Seconds, Utc
from bench.records.enums import Attention, AttentionKernel, OperatingSystem, Phase, Profile


class PhaseEnvelope(Frozen):
    """One phase at its highest. The other terms and the weights add up to the first."""

    allocated_peak_bytes: Bytes
    cache_bytes: Bytes = Field(description="KV cache at the peak")
    activations_bytes: Bytes = Field(description="all other tensors at the peak, the weights left out")
    workspace_bytes: Bytes = Field(description="what kernels took in addition to tensors at the peak")
    buffers_bytes: Bytes = Field(description="tensors that the model keeps in addition to its weights")
    rounding_bytes: Bytes = Field(
        default=0, description="what the allocator's whole blocks take beyond the tensors; 0 for a CPU"
    )
    peak_op: str = Field(description="the operator that caused it, behind the module that called it")


class Ceiling(Frozen):
    """Upper bounds from the card's bandwidth and BF16 rate: a roofline, no forecast.

    Times are the shortest, the rate is the highest. Null where the catalog does not know the card's figure.
    """

    provenance: Literal["derived"] = "derived"
    decode_tokens_per_s: float | None
    encode_s: Seconds | None
    prefill_s: Seconds | None
    time_to_first_token_s: Seconds | None
    latency_s: Seconds | None


class Envelope(Frozen):
    """Memory of one cell, predicted from the architecture term by term."""

    weights_bytes: Bytes
    kv_cache_bytes: Bytes = Field(description="at the end of the answer")
    activations_peak_bytes: Bytes = Field(
        description="most bytes at once of tensors that are neither weights nor KV cache"
    )
    workspace_peak_bytes: Bytes = Field(
        description="most bytes at once that kernels take in addition to tensors"
    )
    convolution_workspace_bytes: ByteInterval | None = Field(
        description="what cuDNN may take beyond that, and need not; null for a CPU"
    )
    allocated_peak_bytes: Bytes = Field(description="everything at once, without what cuDNN may take")
    reserved_peak_bytes: ByteInterval | None = Field(
        description="what the modelled CUDA caching allocator holds; null for a CPU"
    )
    context_bytes: ByteInterval | None = Field(description="CUDA context and libraries; null for a CPU")
    device_peak_bytes: ByteInterval | None = Field(
        description="reserved and context: what a card must have; null for a CPU"
    )
    peak_phase: Phase
    peak_op: str
    attention_kernel: AttentionKernel | None = Field(
        default=None, description="of the language model; null in records of 1.0"
    )
    prompt_tokens: int
    phases: dict[Phase, PhaseEnvelope]
    ceiling: Ceiling | None = Field(description="null for a CPU")


class Term(Frozen):
    """A cost that differs between machines: its range, and where that was seen."""

    low_bytes: Bytes
    typical_bytes: Bytes | None = Field(
        default=None,
        description="median of the figures of `evidence`, a range by its middle; null in older records",
    )
    high_bytes: Bytes
    evidence: str


BudgetBasis = Literal["catalog", "this_machine"]
"""Whose driver reserve and desktop a budget counts: those of other machines, or what this driver reports."""


class PlannedSystem(Frozen):
    """The system and the release of torch that a prediction is for: they decide the attention kernel."""

    os: OperatingSystem
    torch: str = Field(
        pattern=r"^[0-9]{1,4}\.[0-9]{1,4}$",
        description="release such as 2.13; one newer than all known rules has the newest of them",
    )


class LongestClip(Frozen):
    """The predicted frontier of one attention and max_tokens, in whole seconds.

    `*_fits_s` is the longest predicted clip below the first one that does not certainly fit; `*_misfit_s` the
    first beyond which, of those predicted, none may fit. Between them it is too close to call;
    `*_likely_fits_s` is the longest predicted clip below the first one that does not fit by the typical
    figures of context, driver reserve and desktop. What is reserved is not monotone, so that a clip between
    two predicted ones may differ. `fits` null: not even 1 s does. `misfit` null: up to the model's context
    nothing is sure not to fit. `likely_fits` null: not even 1 s does, or the terms have no typical figures.
    All null with a desktop where only headless was requested, and the reverse; under Windows and in
    WSL2 there is no headless.
    """

    attention: Attention
    max_tokens: int
    headless_fits_s: Seconds | None
    headless_likely_fits_s: Seconds | None = None
    headless_misfit_s: Seconds | None
    desktop_fits_s: Seconds | None
    desktop_likely_fits_s: Seconds | None = None
    desktop_misfit_s: Seconds | None
    context_s: Seconds = Field(description="longest clip that the model's context holds with this answer")


ANSWER_TOKENS: Final = 512
"""The length of an answer that ways to run the model are compared for, where it was predicted."""


class OtherWay(Frozen):
    """The longest clips of another profile or system on the same card, for one number of new tokens."""

    profile: Profile
    system: PlannedSystem
    attention_kernel: AttentionKernel
    headroom: Literal["headless", "desktop"] | None = Field(
        description="the only budget; null for both, as in `derivation`"
    )
    lengths: LongestClip


class Comparison(Frozen):
    """A prediction compared with one measured record of the same card and cells.

    Ratios are measured / predicted, of the middle of the interval where the prediction is one.
    """

    provenance: Literal["derived"] = "derived"
    record_id: str
    content_hash: str
    metric: Literal["allocated_peak_bytes", "reserved_peak_bytes", "process_peak_bytes"]
    cells: int
    inside: int | None = Field(
        description="cells measured inside the predicted interval, to 24 MiB; null without one"
    )
    ratio_median: float = Field(description="the factor that would calibrate the prediction")
    ratio_low: float
    ratio_high: float


class Derivation(Frozen):
    """Sources of the figures of a derived record, and the budget that they are compared with."""

    weights_source: Literal["configuration", "safetensors headers"]
    loading: str = Field(description="how the weights reach the device, and what that takes at most")
    allocator: str | None = Field(description="whose rules the reserved bytes follow; null for a CPU")
    workspace_source: str = Field(description="where the workspace of kernels is from")
    system: PlannedSystem | None = Field(default=None, description="null for a CPU and in records of 1.0")
    headroom: Literal["headless", "desktop"] | None = Field(
        description="the only budget: only it was requested, or under Windows no other exists; null for both"
    )
    budget_basis: BudgetBasis | None = Field(
        default=None,
        description="this_machine: total, driver_reserve and desktop (all that is in use) are what the "
        "card's driver reported; null for a CPU and in older records",
    )
    read_at: Utc | None = Field(default=None, description="when the driver reported them; else null")
    desktop_is_given: bool = Field(default=False, description="desktop was given on the command line")
    driver_reserve: Term | None = Field(description="null for a CPU")
    context: Term | None = Field(description="null for a CPU")
    desktop: Term | None = Field(description="null for a CPU")
    calibrated_by: tuple[str, ...] = Field(
        default=(),
        description="ids of measured records of the card that context, driver_reserve and cuDNN's part of "
        "the reserved bytes are from, as far as these show them",
    )
    longest_clips: tuple[LongestClip, ...] = ()
    other_ways: tuple[OtherWay, ...] = Field(
        default=(), description="as far as the shipped table holds them: nothing is traced for these"
    )
    compared: tuple[Comparison, ...] = Field(
        default=(), description="of the prediction before it was calibrated"
    )
