"""The outcome of a cell in the heat map: a symbol, a word and a tint, never the tint alone."""

from dataclasses import dataclass
from typing import Final

from bench.records.enums import Fit, Label, Verdict
from bench.report.interface import Row


@dataclass(frozen=True, slots=True)
class CellVerdict:
    """`tint` is the class of its swatch and `fill`, `ink` the tokens of the page that it is painted with."""

    symbol: str
    word: str
    tint: str
    fill: str
    ink: str


def _of(symbol: str, word: str, tint: str, ink: str = "ink") -> CellVerdict:
    return CellVerdict(symbol, word, tint, f"var(--{tint})", f"var(--{ink})")


VERDICTS: Final = {
    "runs": _of("✓", "fits beside a desktop", "good-bg", "good"),
    "fits_headless": _of("◐", "fits without a desktop", "h2"),
    "runs_headless": _of("◐", "fits without a desktop only", "h2"),
    "ran": _of("●", "ran", "h0"),
    "predicted": _of("○", "predicted", "muted-bg"),
    "too_close_to_call": _of("≈", "too close to call", "warn-bg", "warn"),
    "spilled": _of("▽", "spilled into system memory", "warn-bg", "warn"),
    "does_not_fit": _of("✕", "does not fit", "bad-bg", "bad"),
    "out_of_memory": _of("✕", "out of memory", "bad-bg", "bad"),
    "failed": _of("!", "failed", "warn-bg", "warn"),
    "timeout": _of("!", "timed out", "warn-bg", "warn"),
    "skipped": _of("–", "skipped", "muted-bg", "soft"),
    "not_run": _of("–", "not run", "muted-bg", "soft"),
    "unsupported": _of("∅", "unsupported", "muted-bg", "soft"),
}
"""By code, from the best to the worst: the order of the key."""

_PREDICTED: Final = {
    Verdict.RUNS: "runs",
    Verdict.RUNS_HEADLESS: "runs_headless",
    Verdict.TOO_CLOSE_TO_CALL: "too_close_to_call",
    Verdict.DOES_NOT_FIT: "does_not_fit",
    Verdict.UNSUPPORTED: "unsupported",
    Verdict.UNKNOWN: "predicted",
}


def code_of(row: Row) -> str:
    """The key of `VERDICTS` for a cell."""
    if row.prediction is not None:
        desktop_is_open = row.prediction.fit.word == "fits headless"
        code = _PREDICTED[row.prediction.verdict]
        return "fits_headless" if desktop_is_open and code == "runs_headless" else code
    if row.status.code == "measured":
        return "too_close_to_call" if row.fit is Fit.TOO_CLOSE_TO_CALL else _of_run(row)
    return "not_run" if row.status.word == "not run" else row.status.code


def _of_run(row: Row) -> str:
    if Label.SPILLED.value in row.labels and row.fit is not Fit.FITS:
        return "spilled"
    return {True: "runs", False: "runs_headless", None: "ran"}[row.fits_with_desktop]
