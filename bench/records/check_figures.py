"""One figure of a check document: its value, how far it spreads, and what it rests on."""

from pydantic import Field

from bench.records.base import Frozen
from bench.records.words import Provenance


class CheckFigure(Frozen):
    """A figure. Null in its place: not available.

    Of one record it is the record's own median; of several the median over machines of the medians over the
    records of each machine.
    """

    value: float | int | None = Field(description="null where only a range is known, as of a prediction")
    low: float | int | None = Field(
        description="of one record the interval that it states; of several the least of them"
    )
    high: float | int | None = Field(description="the same at the other end")
    provenance: Provenance
    machines: int | None = Field(
        description="distinct machines, told by their keys; null where a record has none"
    )
    records: int = Field(ge=1, description="records that it rests on")


Figure = CheckFigure | None


class CheckMetrics(Frozen):
    """Every metric of a cell, under the names that records, comparisons and gates use."""

    load_s: Figure
    preprocess_s: Figure
    encode_s: Figure
    time_to_first_token_s: Figure
    decode_tokens_per_s: Figure
    latency_s: Figure
    real_time_factor: Figure
    generated_tokens: Figure
    allocated_peak_bytes: Figure
    reserved_peak_bytes: Figure
    process_peak_bytes: Figure
    device_peak_bytes: Figure
    resident_peak_bytes: Figure
    needed_bytes: Figure = Field(description="what a card must have for it, CUDA context included")
    energy_j: Figure
    energy_per_token_j: Figure
    energy_per_audio_second_j: Figure
    bandwidth_fraction: Figure
    bf16_fraction: Figure


METRIC_NAMES = tuple(CheckMetrics.model_fields)
"""The names of the figures that a row can have."""
