"""What a check document says of a prediction, beside what it says of any record."""

from typing import Literal

from pydantic import Field

from bench.records.base import Bytes, Frozen, Interval, Seconds
from bench.records.words import Fit, Phase, Verdict

_Derived = Literal["derived"]


class CheckCeiling(Frozen):
    """What the card allows at most: a roofline, no forecast. Times are the shortest, the rate the highest."""

    provenance: _Derived
    decode_tokens_per_s: float | None
    encode_s: Seconds | None
    prefill_s: Seconds | None
    time_to_first_token_s: Seconds | None
    latency_s: Seconds | None


class CheckEnvelope(Frozen):
    """The memory of one cell as it was predicted, under the names of the record."""

    provenance: _Derived
    verdict: Verdict
    headless: Fit | None = Field(
        description="whether the whole interval fits the card without a desktop; null where nothing tells"
    )
    desktop: Fit | None = Field(description="the same beside a desktop")
    weights_bytes: Bytes | None
    kv_cache_bytes: Bytes | None
    activations_peak_bytes: Bytes | None
    workspace_peak_bytes: Bytes | None
    convolution_workspace_bytes: Interval | None
    allocated_peak_bytes: Bytes | None
    reserved_peak_bytes: Interval | None
    context_bytes: Interval | None
    device_peak_bytes: Interval | None = Field(description="what a card must have")
    peak_phase: Phase | None
    peak_op: str | None
    ceiling: CheckCeiling | None


class CheckComparison(Frozen):
    """A prediction held against one measured record: ratios are measured / predicted."""

    provenance: _Derived
    record_id: str
    content_hash: str
    metric: Literal["allocated_peak_bytes", "reserved_peak_bytes", "process_peak_bytes"]
    cells: int
    inside: int | None = Field(description="cells measured inside the predicted interval; null without one")
    ratio_median: float = Field(description="the factor that would calibrate the prediction")
    ratio_low: float
    ratio_high: float


class CheckPrediction(Frozen):
    """What a derived record says as a whole: the room that the card leaves, as intervals, and its error."""

    provenance: _Derived
    room_headless_bytes: Interval | None = Field(
        description="null where that was not asked for, or nothing tells"
    )
    room_desktop_bytes: Interval | None
    compared: tuple[CheckComparison, ...] = Field(
        description="empty: no measured record of the card was there, so nothing confirms the prediction"
    )
