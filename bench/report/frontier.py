"""The frontier in words: "none" is said of what was tried, never of what exists."""

from bench import units
from bench.records.check import Check, FrontierLine
from bench.report.basics import basis
from bench.report.interface import FrontierRow
from bench.wording import labels


def frontier(check: Check, *, several: bool) -> tuple[FrontierRow, ...]:
    """Every line of a check document; of several records each says what it rests on."""
    return tuple(_row(line, basis(line.machines, line.records) if several else "") for line in check.frontier)


def _row(line: FrontierLine, rests_on: str) -> FrontierRow:
    doubt = ("records disagree",) if line.disagrees else ()
    predicted = line.is_predicted
    return FrontierRow(
        line=line,
        attention_words=", ".join((labels.ATTENTIONS[line.attention], *line.variant, *doubt)),
        longest_fit=_surely(line, line.longest_fit_s) if predicted else _longest(line),
        longest_fit_with_desktop=_surely(line, line.longest_fit_with_desktop_s)
        if predicted
        else _beside_desktop(line),
        smallest_misfit=_surely_not(line.smallest_misfit_s) if predicted else _misfit(line),
        smallest_misfit_with_desktop=_surely_not(line.smallest_misfit_with_desktop_s) if predicted else "",
        context="" if line.context_s is None else units.clip_length(line.context_s),
        basis=rests_on,
    )


def _longest(line: FrontierLine) -> str:
    return "none ran" if line.longest_fit_s is None else units.clip_length(line.longest_fit_s)


def _beside_desktop(line: FrontierLine) -> str:
    if line.longest_fit_with_desktop_s is not None:
        return units.clip_length(line.longest_fit_with_desktop_s)
    return "none" if line.desktop_is_known else units.NOT_AVAILABLE


def _misfit(line: FrontierLine) -> str:
    if line.smallest_misfit_s is None:
        return "none seen"
    tried = " (not tried: a smaller cell did not fit)" if line.smallest_misfit_is_inferred else ""
    return units.clip_length(line.smallest_misfit_s) + tried


def _surely(line: FrontierLine, length_s: float | None) -> str:
    """Exact to the second where the prediction followed the line, else of the clips that were asked for."""
    if length_s is None:
        return "none of those asked for" if line.context_s is None else "not even 1 s"
    whole = line.context_s is not None and length_s >= line.context_s
    return f"all, to {units.clip_length(length_s)}" if whole else f"to {units.clip_length(length_s)}"


def _surely_not(length_s: float | None) -> str:
    return "none" if length_s is None else f"from {units.clip_length(length_s)}"
