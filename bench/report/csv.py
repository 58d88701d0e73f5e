"""CSV: one row per cell, under the names of the contract, for spreadsheets and data frames."""

from typing import TYPE_CHECKING, Final

from bench.records.base import ByteInterval
from bench.records.check import CheckEnvelope
from bench.records.metrics import FIGURES
from bench.records.prediction import Envelope
from bench.report.columns import COLUMNS
from bench.report.interface import Row, View
from bench.report.prediction import CEILINGS
from bench.text import MAX_NAME, clean

if TYPE_CHECKING:
    import pandas as pd

# A spreadsheet runs what starts with one of these; an apostrophe before it makes it text (OWASP, CSV
# injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_WITH_SPREAD: Final = frozenset(name for name, metric in FIGURES.items() if metric.is_statistic)
# Sampled over one cell, or the spread of what one record has once over several records.
_WITH_RANGE: Final = frozenset({"power_w", "temperature_c", "sm_clock_mhz", "memory_clock_mhz", *FIGURES})

_SIZES: Final = ("weights_bytes", "kv_cache_bytes", "activations_peak_bytes", "workspace_peak_bytes")
_RANGES: Final = (
    "convolution_workspace_bytes",
    "reserved_peak_bytes",
    "context_bytes",
    "device_peak_bytes",
)
_Value = bool | str | int | float | None


def render(view: View) -> str:
    """The table as text. A plain name is the median; its interval, the kind of that, and `_cv` follow it.

    A merged view has no record id, and low and high are the least and the most of its records.
    """
    return frame(view).to_csv(index=False, lineterminator="\n")


def frame(view: View) -> "pd.DataFrame":
    """The table as a data frame. Columns hold objects, so that a missing count leaves the others whole."""
    import pandas as pd

    lines = [_line(view, row) for row in view.rows]
    return pd.DataFrame(lines, columns=pd.Index(_columns()), dtype="object")


def _columns() -> list[str]:
    identity = ["record_id", "model", "device", "provenance", "weight_mode", "cell_id", "clip_seconds"]
    identity += ["max_tokens", "attention", "profile", "dtype", "status", "reason", "labels"]
    identity += ["same_kernels_as", "fits_with_desktop", "machines", "records", "attention_kernel"]
    metrics = [name for column in COLUMNS for name in _columns_of(column.name)]
    return [*identity, *metrics, *predicted_columns()]  # one header for every record: tables can be joined


def _columns_of(name: str) -> list[str]:
    if name in _WITH_SPREAD:
        return [f"{name}{end}" for end in ("", "_low", "_high", "_cv", "_interval_kind", "_interval_n")]
    return [name, f"{name}_low", f"{name}_high"] if name in _WITH_RANGE else [name]


def _line(view: View, row: Row) -> dict[str, _Value]:
    line: dict[str, _Value] = {
        "record_id": None if view.merged else view.identity.record_id,
        "model": neutral(view.identity.model),
        "device": neutral(view.identity.gpu),
        "provenance": row.provenance.value,
        "weight_mode": row.weight_mode.value,
        "cell_id": row.cell_id,
        "clip_seconds": row.clip_seconds,
        "max_tokens": row.max_tokens,
        "attention": row.attention.value,
        "profile": row.profile,
        "dtype": row.dtype,
        "status": row.status.code,
        "reason": neutral(row.status.reason),
        "labels": neutral(" ".join(row.labels)),
        "same_kernels_as": " ".join(row.same_kernels_as),
        "fits_with_desktop": row.fits_with_desktop,
        "machines": row.machines,
        "records": row.records,
        "attention_kernel": row.kernel,
    }
    for column in COLUMNS:
        figure = row.figures[column.name]
        values = (
            *(figure.value, figure.low, figure.high, figure.cv),
            *(figure.interval_kind, figure.interval_n),
        )
        line.update(zip(_columns_of(column.name), values, strict=False))
    of_prediction = _values(row)
    line.update((name, neutral(v) if isinstance(v, str) else v) for name, v in of_prediction.items())
    return line


def neutral(text: str) -> str:
    """`=1+1` -> `'=1+1`: text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


# --- predictions: columns behind all others, in the table of every record ---------------------------------


def predicted_columns() -> list[str]:
    """Names in the order of the table; a range has two columns."""
    ranges = [end for name in _RANGES for end in _ends(name)]
    ceilings = [f"ceiling_{name}" for name in CEILINGS]
    return [
        *(
            "planned_os",
            "planned_torch",
            "verdict",
            "fits_headless",
            "fits_desktop",
            "likely_fits_headless",
            "likely_fits_desktop",
        ),
        "prompt_tokens",
        *_SIZES,
        *ranges,
        *("peak_phase", "peak_op"),
        *ceilings,
    ]


def _values(row: Row) -> dict[str, _Value]:
    """A value for each predicted column; None if the cell was not predicted."""
    empty: dict[str, _Value] = dict.fromkeys(predicted_columns())
    prediction = row.prediction
    if prediction is None:
        return empty
    fits = {
        "planned_os": None if row.system is None else row.system.os,
        "planned_torch": None if row.system is None else clean(row.system.torch, MAX_NAME),
        "verdict": prediction.verdict.value,
        "fits_headless": None if prediction.headless is None else prediction.headless.value,
        "fits_desktop": None if prediction.desktop is None else prediction.desktop.value,
        "likely_fits_headless": prediction.headless_likely,
        "likely_fits_desktop": prediction.desktop_likely,
    }
    return {**empty, **fits, **(_figures(prediction.envelope) if prediction.envelope else {})}


def _figures(figures: Envelope | CheckEnvelope) -> dict[str, _Value]:
    found: dict[str, _Value] = {name: getattr(figures, name) for name in _SIZES}
    found |= {"prompt_tokens": figures.prompt_tokens if isinstance(figures, Envelope) else None}
    phase = figures.peak_phase
    found |= {"peak_phase": None if phase is None else phase.value, "peak_op": figures.peak_op}
    for name in _RANGES:
        size: ByteInterval | None = getattr(figures, name)
        found |= zip(_ends(name), (None, None) if size is None else (size.low, size.high), strict=True)
    for name in CEILINGS:
        found[f"ceiling_{name}"] = None if figures.ceiling is None else getattr(figures.ceiling, name)
    return found


def _ends(name: str) -> tuple[str, str]:
    """`device_peak_bytes` -> `device_peak_low_bytes`, `device_peak_high_bytes`."""
    stem = name.removesuffix("_bytes")
    return f"{stem}_low_bytes", f"{stem}_high_bytes"
