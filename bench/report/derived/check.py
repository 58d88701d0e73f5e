"""What `check.json` says of a prediction, beside what it says of any record."""

from typing import Literal

from bench.records.base import Bytes, Frozen, Interval, Seconds
from bench.records.prediction import Ceiling, Envelope
from bench.records.words import Fit, Phase, Verdict
from bench.report.derived.interface import Compared, Derived, Prediction
from bench.report.digits import rounded

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
    """The memory of one cell as it was predicted, under the names of the record.

    `device_peak_bytes`: what a card must have. `headless`, `desktop`: whether the whole interval fits; null
    where that was not asked for, or nothing tells.
    """

    provenance: _Derived
    verdict: Verdict
    headless: Fit | None
    desktop: Fit | None
    weights_bytes: Bytes | None
    kv_cache_bytes: Bytes | None
    activations_peak_bytes: Bytes | None
    workspace_peak_bytes: Bytes | None
    convolution_workspace_bytes: Interval | None
    allocated_peak_bytes: Bytes | None
    reserved_peak_bytes: Interval | None
    context_bytes: Interval | None
    device_peak_bytes: Interval | None
    peak_phase: Phase | None
    peak_op: str | None
    ceiling: CheckCeiling | None


class CheckComparison(Frozen):
    """A prediction held against one measured record: ratios are measured / predicted.

    `ratio_median` is the factor that would calibrate the prediction. `inside`: cells that were measured
    inside the predicted interval; null where one number was predicted.
    """

    provenance: _Derived
    record_id: str
    content_hash: str
    metric: Literal["allocated_peak_bytes", "reserved_peak_bytes", "process_peak_bytes"]
    cells: int
    inside: int | None
    ratio_median: float
    ratio_low: float
    ratio_high: float


class CheckPrediction(Frozen):
    """What a derived record says as a whole: the room that the card leaves, as intervals, and its error.

    `room_headless_bytes`, `room_desktop_bytes`: null where that was not asked for, or nothing tells.
    `compared` is empty where no measured record of the card is there: nothing confirms the prediction then.
    """

    provenance: _Derived
    room_headless_bytes: Interval | None
    room_desktop_bytes: Interval | None
    compared: tuple[CheckComparison, ...]


def envelope(prediction: Prediction | None) -> CheckEnvelope | None:
    """One predicted cell; None where nothing was predicted."""
    if prediction is None:
        return None
    fits = {
        "provenance": "derived",
        "verdict": prediction.verdict,
        "headless": prediction.headless,
        "desktop": prediction.desktop,
    }
    return CheckEnvelope.model_validate({**_figures(prediction.envelope), **fits})


def _figures(figures: Envelope | None) -> dict[str, object]:
    own = [name for name in CheckEnvelope.model_fields if name in Envelope.model_fields]
    if figures is None:
        return dict.fromkeys(own)
    return {**{name: getattr(figures, name) for name in own}, "ceiling": _ceiling(figures.ceiling)}


def _ceiling(ceiling: Ceiling | None) -> CheckCeiling | None:
    if ceiling is None:
        return None
    short = {name: _short(value) for name, value in ceiling.model_dump().items()}
    return CheckCeiling.model_validate({"provenance": "derived", **short})


def _short(value: float | None) -> float | None:
    # Three significant digits are more than a ceiling means.
    return None if value is None else rounded(value, 3)


def prediction(derived: Derived | None) -> CheckPrediction | None:
    """The whole record; None where it was measured."""
    if derived is None:
        return None
    return CheckPrediction(
        provenance="derived",
        room_headless_bytes=derived.headless,
        room_desktop_bytes=derived.desktop,
        compared=tuple(map(_comparison, derived.compared)),
    )


def _comparison(entry: Compared) -> CheckComparison:
    return CheckComparison.model_validate({"provenance": "derived", **entry.comparison.model_dump()})
