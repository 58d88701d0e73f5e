"""What was predicted of a merged cell, in the words of a single prediction."""

from bench.check.rows import FIT
from bench.records.check import CheckEnvelope, CheckRow
from bench.records.enums import Profile, Verdict
from bench.report.basics import Status
from bench.report.derived import byte_ranges
from bench.report.derived.cells import also, at_peak, ceilings, fit_words, peak, terms
from bench.report.derived.interface import Prediction


def prediction(merged: CheckRow) -> Prediction | None:
    """The newest prediction of a cell that nobody ran; None for a cell that ran or cannot."""
    figures = merged.envelope
    if merged.status != "predicted" or figures is None:
        return None
    verdict = Verdict.TOO_CLOSE_TO_CALL if FIT in merged.disagrees else figures.verdict
    word, tone = fit_words(verdict, figures.desktop)
    return Prediction(
        verdict=verdict,
        fit=Status(verdict.value, word, tone, _reason(merged, figures)),
        also=also(verdict, figures.desktop),
        headless=figures.headless,
        desktop=figures.desktop,
        peak=peak(figures),
        at_peak=at_peak(figures, all_logits=merged.profile == Profile.FAITHFUL),
        dominant="",
        terms=terms(figures),
        phases=(),
        ceiling=ceilings(figures.ceiling),
        envelope=figures,
    )


def _reason(merged: CheckRow, figures: CheckEnvelope) -> str:
    if FIT in merged.disagrees:
        return differ(merged)
    needed = figures.device_peak_bytes
    return "" if needed is None else f"needs {byte_ranges.both(needed)}"


def differ(merged: CheckRow) -> str:
    """What is said in place of a tally of outcomes: all of them are predictions."""
    return f"the predictions of {sum(merged.statuses.values())} records differ"
