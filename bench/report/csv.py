"""CSV: one row per cell, under the names of the contract, for spreadsheets and data frames."""

from typing import TYPE_CHECKING, Final

from bench.records.metrics import FIGURES
from bench.report.card_metrics import COLUMNS
from bench.report.derived import columns as predicted
from bench.report.interface import Row, View

if TYPE_CHECKING:
    import pandas as pd

# A spreadsheet runs what starts with one of these; an apostrophe before it makes it text (OWASP, CSV
# injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_WITH_SPREAD: Final = frozenset(name for name, metric in FIGURES.items() if metric.is_statistic)
# Sampled over one cell, or the spread of what one record has once over several records.
_WITH_RANGE: Final = frozenset({"power_w", "temperature_c", "sm_clock_mhz", "memory_clock_mhz", *FIGURES})

_Value = bool | str | int | float | None


def render(view: View) -> str:
    """The whole table as text. Medians stand under the plain name, `_low`, `_high` and `_cv` beside them.

    Of a merged view no single record has an id, and low and high are the least and the most of the records.
    """
    return frame(view).to_csv(index=False, lineterminator="\n")


def frame(view: View) -> "pd.DataFrame":
    """The same as a data frame. Columns hold objects, so that a missing count leaves the others whole."""
    import pandas as pd

    lines = [_line(view, row) for row in view.rows]
    return pd.DataFrame(lines, columns=pd.Index(_columns()), dtype="object")


def _columns() -> list[str]:
    identity = ["record_id", "model", "device", "provenance", "weight_mode", "cell_id", "clip_seconds"]
    identity += ["max_tokens", "attention", "profile", "dtype", "status", "reason", "labels"]
    identity += ["same_kernels_as", "fits_with_desktop", "machines", "records"]
    metrics = [name for column in COLUMNS for name in _columns_of(column.name)]
    return [*identity, *metrics, *predicted.names()]  # one header for every record: tables can be joined


def _columns_of(name: str) -> list[str]:
    if name in _WITH_SPREAD:
        return [name, f"{name}_low", f"{name}_high", f"{name}_cv"]
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
    }
    for column in COLUMNS:
        figure = row.figures[column.name]
        values = (figure.value, figure.low, figure.high, figure.cv)
        line.update(zip(_columns_of(column.name), values, strict=False))
    of_prediction = predicted.values(row.prediction)
    line.update((name, neutral(v) if isinstance(v, str) else v) for name, v in of_prediction.items())
    return line


def neutral(text: str) -> str:
    """`=1+1` -> `'=1+1`: text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
