"""The frontier in words: "none" is said of what was tried, never of what exists."""

from collections.abc import Iterable

from bench import units
from bench.records.check import FrontierLine
from bench.records.enums import Provenance
from bench.report import labels
from bench.report.interface import FrontierRow


def frontier(points: Iterable[FrontierLine], provenance: Provenance) -> tuple[FrontierRow, ...]:
    """One row for each point of a record of that provenance."""
    return tuple(line(point, provenance) for point in points)


def line(point: FrontierLine, provenance: Provenance, basis: str = "") -> FrontierRow:
    """One point in words; `basis` is how many records or machines it rests on."""
    predicted = point.is_predicted
    return FrontierRow(
        attention=point.attention,
        attention_words=", ".join((labels.ATTENTIONS[point.attention], *point.variant)),
        max_tokens=point.max_tokens,
        longest_fit_s=point.longest_fit_s,
        smallest_misfit_s=point.smallest_misfit_s,
        smallest_misfit_is_inferred=point.smallest_misfit_is_inferred,
        longest_fit_with_desktop_s=point.longest_fit_with_desktop_s,
        desktop_is_known=point.desktop_is_known,
        variant=point.variant,
        longest_fit=_surely(point, point.longest_fit_s) if predicted else _longest(point),
        longest_fit_with_desktop=_surely(point, point.longest_fit_with_desktop_s)
        if predicted
        else _beside_desktop(point),
        smallest_misfit=_surely_not(point.smallest_misfit_s) if predicted else _misfit(point),
        headless_is_known=point.headless_is_known,
        smallest_misfit_with_desktop_s=point.smallest_misfit_with_desktop_s,
        smallest_misfit_with_desktop=_surely_not(point.smallest_misfit_with_desktop_s) if predicted else "",
        context_s=point.context_s,
        context="" if point.context_s is None else units.clip_length(point.context_s),
        provenance=Provenance.DERIVED if predicted else provenance,
        basis=basis,
    )


def _longest(point: FrontierLine) -> str:
    return "none ran" if point.longest_fit_s is None else units.clip_length(point.longest_fit_s)


def _beside_desktop(point: FrontierLine) -> str:
    if point.longest_fit_with_desktop_s is not None:
        return units.clip_length(point.longest_fit_with_desktop_s)
    return "none" if point.desktop_is_known else units.NOT_AVAILABLE


def _misfit(point: FrontierLine) -> str:
    if point.smallest_misfit_s is None:
        return "none seen"
    tried = " (not tried: a smaller cell did not fit)" if point.smallest_misfit_is_inferred else ""
    return units.clip_length(point.smallest_misfit_s) + tried


def _surely(point: FrontierLine, length_s: float | None) -> str:
    """Exact to the second where the prediction followed the line, else of the clips that were asked for."""
    if length_s is None:
        return "none of those asked for" if point.context_s is None else "not even 1 s"
    whole = point.context_s is not None and length_s >= point.context_s
    return f"all, to {units.clip_length(length_s)}" if whole else f"to {units.clip_length(length_s)}"


def _surely_not(length_s: float | None) -> str:
    return "none" if length_s is None else f"from {units.clip_length(length_s)}"
