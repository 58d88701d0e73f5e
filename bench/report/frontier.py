"""The frontier in words. Of runs "none" means none of those tried, not none that exists."""

from typing import Final

from bench import units
from bench.records.check import Check, FrontierLine, PredictedLengths
from bench.report.basics import basis
from bench.report.interface import FrontierRow, LengthWords
from bench.wording import labels

_ENDS: Final = {"failed": "failed", "timeout": "timed out"}


def frontier(check: Check, *, several: bool) -> tuple[FrontierRow, ...]:
    """Every line of a check document; for several records each with its number of machines or records."""
    return tuple(_row(line, basis(line.machines, line.records) if several else "") for line in check.frontier)


def _row(line: FrontierLine, basis_words: str) -> FrontierRow:
    doubt = ("records disagree",) if line.disagrees else ()
    predicted = line.is_predicted
    return FrontierRow(
        line=line,
        attention_words=", ".join((labels.ATTENTIONS[line.attention], *line.variant, *doubt)),
        kernel="" if line.attention_kernel is None else labels.KERNELS[line.attention_kernel],
        longest_fit="" if predicted else _longest(line),
        longest_fit_with_desktop="" if predicted else _longest_with_desktop(line),
        smallest_misfit="" if predicted else _misfit(line),
        headless=_lengths(line.predicted_headless, line.context_s),
        desktop=_lengths(line.predicted_desktop, line.context_s),
        context="" if line.context_s is None else units.clip_length(line.context_s),
        basis=basis_words,
    )


def _longest(line: FrontierLine) -> str:
    return "none ran" if line.longest_fit_s is None else units.clip_length(line.longest_fit_s)


def _longest_with_desktop(line: FrontierLine) -> str:
    if line.longest_fit_with_desktop_s is not None:
        return units.clip_length(line.longest_fit_with_desktop_s)
    return "none" if line.desktop_is_known else units.NOT_AVAILABLE


def _misfit(line: FrontierLine) -> str:
    if line.smallest_misfit_s is None:
        return "none seen" + _open_end(line)
    tried = " (not tried: a smaller cell did not fit)" if line.smallest_misfit_is_inferred else ""
    return units.clip_length(line.smallest_misfit_s) + tried


def _open_end(line: FrontierLine) -> str:
    if line.undecided_s is None:
        return ""
    return f"; {units.clip_length(line.undecided_s)} {_ENDS[line.undecided_status or 'failed']}"


def _lengths(found: PredictedLengths | None, context_s: float | None) -> LengthWords | None:
    if found is None:
        return None
    nothing = labels.no_length(found.misfit_s)
    likely = _up_to(found.likely_fits_s, context_s, nothing) if found.likely_is_known else units.NOT_AVAILABLE
    misfit = labels.NEVER if found.misfit_s is None else units.clip_length(found.misfit_s)
    return LengthWords(_up_to(found.fits_s, context_s, nothing), likely, misfit)


def _up_to(length_s: float | None, context_s: float | None, nothing: str) -> str:
    """`128 s`, `3263 s (all)`. Exact if the prediction followed the line, else among its cells."""
    if length_s is None:
        return nothing
    whole = context_s is not None and length_s >= context_s
    return f"{units.clip_length(length_s)} (all)" if whole else units.clip_length(length_s)
