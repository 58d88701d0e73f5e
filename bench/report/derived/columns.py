"""The columns that only predicted rows of the CSV fill. They stand behind all others, in every record."""

from bench.records.base import Interval
from bench.records.check import CheckEnvelope
from bench.records.prediction import Envelope
from bench.report.derived.interface import CEILINGS, Prediction

_SIZES = ("weights_bytes", "kv_cache_bytes", "activations_peak_bytes", "workspace_peak_bytes")
_RANGES = (
    "convolution_workspace_bytes",
    "reserved_peak_bytes",
    "context_bytes",
    "device_peak_bytes",
)
Value = str | int | float | None


def names() -> list[str]:
    """In the order of the table. What a range begins and ends with are two columns."""
    ranges = [end for name in _RANGES for end in _ends(name)]
    ceilings = [f"ceiling_{name}" for name in CEILINGS]
    return [
        *("verdict", "fits_headless", "fits_desktop", "prompt_tokens"),
        *_SIZES,
        *ranges,
        *("peak_phase", "peak_op"),
        *ceilings,
    ]


def values(prediction: Prediction | None) -> dict[str, Value]:
    """A value for each name; None where nothing was predicted."""
    empty: dict[str, Value] = dict.fromkeys(names())
    if prediction is None:
        return empty
    fits = {
        "verdict": prediction.verdict.value,
        "fits_headless": None if prediction.headless is None else prediction.headless.value,
        "fits_desktop": None if prediction.desktop is None else prediction.desktop.value,
    }
    return {**empty, **fits, **(_figures(prediction.envelope) if prediction.envelope else {})}


def _figures(figures: Envelope | CheckEnvelope) -> dict[str, Value]:
    found: dict[str, Value] = {name: getattr(figures, name) for name in _SIZES}
    found |= {"prompt_tokens": figures.prompt_tokens if isinstance(figures, Envelope) else None}
    phase = figures.peak_phase
    found |= {"peak_phase": None if phase is None else phase.value, "peak_op": figures.peak_op}
    for name in _RANGES:
        size: Interval | None = getattr(figures, name)
        found |= zip(_ends(name), (None, None) if size is None else _whole(size), strict=True)
    for name in CEILINGS:
        found[f"ceiling_{name}"] = None if figures.ceiling is None else getattr(figures.ceiling, name)
    return found


def _ends(name: str) -> tuple[str, str]:
    """`device_peak_bytes` -> `device_peak_low_bytes`, `device_peak_high_bytes`."""
    stem = name.removesuffix("_bytes")
    return f"{stem}_low_bytes", f"{stem}_high_bytes"


def _whole(size: Interval) -> tuple[int, int]:
    return round(size.low), round(size.high)
