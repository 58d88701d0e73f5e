"""The outcome of a cell in the heat map: a symbol, a word and a tint, never the tint alone."""

from dataclasses import dataclass
from typing import Final

from bench.records.enums import Fit, Label, Verdict
from bench.report.interface import Row
from bench.report.prediction import Prediction


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
    "runs": _of("✓", "fits with a desktop", "good-bg", "good"),
    "fits_headless": _of("◐", "fits without a desktop", "h2"),
    "runs_headless": _of("◐", "fits without a desktop only", "h2"),
    "ran": _of("●", "ran", "h0"),
    "predicted": _of("○", "predicted", "muted-bg"),
    "likely_fits": _of("≈", "likely fits", "warn-bg", "warn"),
    "probably_not": _of("≉", "probably does not fit", "warn-bg", "warn"),
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


def code_of(row: Row) -> str:
    """The key of `VERDICTS` for a cell."""
    if row.prediction is not None:
        return _of_prediction(row.prediction)
    if row.status.code == "measured":
        return "too_close_to_call" if row.fit is Fit.TOO_CLOSE_TO_CALL else _of_run(row)
    is_pending = row.status.code == "skipped" and row.fit is not Fit.DOES_NOT_FIT
    return "not_run" if is_pending else row.status.code


def _of_prediction(predicted: Prediction) -> str:
    if predicted.verdict is Verdict.RUNS_HEADLESS and predicted.desktop is not Fit.DOES_NOT_FIT:
        return "fits_headless"
    likely = predicted.headless_likely if predicted.headless is not None else predicted.desktop_likely
    if predicted.verdict is Verdict.TOO_CLOSE_TO_CALL and likely is not None:
        return "likely_fits" if likely else "probably_not"
    return "predicted" if predicted.verdict is Verdict.UNKNOWN else predicted.verdict.value


def _of_run(row: Row) -> str:
    if Label.SPILLED.value in row.labels and row.fit is not Fit.FITS:
        return "spilled"
    return {True: "runs", False: "runs_headless", None: "ran"}[row.fits_with_desktop]
