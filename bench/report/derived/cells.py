"""One predicted cell in words: whether it fits, what it needs term by term, and what the card allows."""

from typing import Final

from bench import units
from bench.judge.prediction import budgets_of, cell_fit, cell_verdict
from bench.records.base import Interval
from bench.records.check import CheckEnvelope
from bench.records.enums import Fit, Phase, Profile, Verdict
from bench.records.prediction import Ceiling, Envelope, PhaseEnvelope
from bench.records.record import CellResult, Record
from bench.report.basics import Status, Tone
from bench.report.derived import byte_ranges
from bench.report.derived.interface import CEILINGS, TERMS, PhaseTerms, Prediction
from bench.report.derived.operators import plain
from bench.text import MAX_NAME, clean

FITS: Final = {
    Verdict.RUNS: ("fits", Tone.GOOD),
    Verdict.RUNS_HEADLESS: ("headless only", Tone.GOOD),
    Verdict.TOO_CLOSE_TO_CALL: ("too close to call", Tone.WARN),
    Verdict.DOES_NOT_FIT: ("does not fit", Tone.BAD),
    Verdict.UNSUPPORTED: ("unsupported", Tone.MUTED),
    Verdict.UNKNOWN: ("predicted", Tone.MUTED),
}
_DOMINANT: Final = {
    "cache_bytes": "KV cache",
    "activations_bytes": "activations",
    "workspace_bytes": "workspace",
    "buffers_bytes": "buffers",
}


def prediction(cell: CellResult, record: Record) -> Prediction | None:
    """What is predicted of a cell; None where nothing was, because it ran or cannot."""
    if cell.outcome.status != "predicted":
        return None
    budgets, figures = budgets_of(record), cell.envelope
    judged, found = cell_verdict(cell, budgets), cell_fit(cell, budgets)
    word, tone = fit_words(judged.verdict, found.desktop)
    all_logits = _has_all_logits(cell)
    return Prediction(
        verdict=judged.verdict,
        fit=Status(judged.verdict.value, word, tone, clean(judged.why)),
        also=also(judged.verdict, found.desktop),
        headless=found.headless,
        desktop=found.desktop,
        peak=peak(figures),
        at_peak=at_peak(figures, all_logits=all_logits),
        dominant=_dominant(figures),
        terms=terms(figures),
        phases=_phases(figures, all_logits=all_logits),
        ceiling=ceilings(figures.ceiling if figures else None),
        envelope=None if figures is None else _cleaned(figures),
    )


def fit_words(verdict: Verdict, desktop: Fit | None) -> tuple[str, Tone]:
    """`fits`, `headless only`: the word for a verdict, and how good it is."""
    word, tone = FITS[verdict]
    beside_too = verdict is Verdict.RUNS_HEADLESS and desktop is not Fit.DOES_NOT_FIT
    return ("fits headless" if beside_too else word), tone


def also(verdict: Verdict, desktop: Fit | None) -> str:
    """What the word leaves open, such as `desktop: too close to call`; empty where nothing is."""
    if verdict is Verdict.RUNS_HEADLESS and desktop is Fit.TOO_CLOSE_TO_CALL:
        return "desktop: too close to call"
    if verdict is Verdict.TOO_CLOSE_TO_CALL and desktop is Fit.DOES_NOT_FIT:
        return "desktop: does not fit"
    return ""


def _has_all_logits(cell: CellResult) -> bool:
    if cell.effective is not None and cell.effective.logits_positions is not None:
        return cell.effective.logits_positions == "all"
    return cell.requested.profile is Profile.FAITHFUL


def peak(figures: Envelope | CheckEnvelope | None) -> str:
    """The range that a card must have; without a card what is allocated."""
    if figures is None:
        return units.NOT_AVAILABLE
    if figures.device_peak_bytes is None:
        return f"{units.gib(figures.allocated_peak_bytes)} allocated"
    return byte_ranges.gib(figures.device_peak_bytes)


def at_peak(figures: Envelope | CheckEnvelope | None, *, all_logits: bool) -> str:
    """`prefill: logits of every position`; empty where nothing tells."""
    if figures is None or figures.peak_phase is None or figures.peak_op is None:
        return ""
    words = plain(figures.peak_phase, figures.peak_op, all_logits=all_logits)
    return f"{figures.peak_phase.value}: {words}"


def _dominant(figures: Envelope | None) -> str:
    """`activations, 2.31 GiB`: the largest term at the peak beside the weights; empty where nothing is."""
    part = figures.phases.get(figures.peak_phase) if figures else None
    if part is None:
        return ""
    sizes: dict[str, int] = {words: getattr(part, name) for name, words in _DOMINANT.items()}
    largest = max(sizes, key=lambda words: sizes[words])
    return f"{largest}, {units.gib(sizes[largest])}" if sizes[largest] else ""


def terms(figures: Envelope | CheckEnvelope | None) -> dict[str, str]:
    """What the cell takes under each name of `TERMS`."""
    return {name: _term(figures, name) for name in TERMS}


def _term(figures: Envelope | CheckEnvelope | None, name: str) -> str:
    value: Interval | int | None = getattr(figures, name) if figures else None
    if isinstance(value, Interval):
        return byte_ranges.gib(value)
    return units.gib(value)


def _phases(figures: Envelope | None, *, all_logits: bool) -> tuple[PhaseTerms, ...]:
    parts = figures.phases if figures else {}
    return tuple(_phase(phase, parts[phase], all_logits) for phase in Phase if phase in parts)


def _phase(phase: Phase, part: PhaseEnvelope, all_logits: bool) -> PhaseTerms:
    words, raw = plain(phase, part.peak_op, all_logits=all_logits), clean(part.peak_op, MAX_NAME)
    return PhaseTerms(
        name=phase.value.capitalize(),
        allocated=units.gib(part.allocated_peak_bytes),
        buffers=units.gib(part.buffers_bytes),
        cache=units.gib(part.cache_bytes),
        activations=units.gib(part.activations_bytes),
        workspace=units.gib(part.workspace_bytes),
        operator=words,
        raw="" if raw == words else raw,
    )


def ceilings(ceiling: Ceiling | None) -> dict[str, str]:
    """What the card allows under each name of `CEILINGS`."""
    if ceiling is None:
        return dict.fromkeys(CEILINGS, units.NOT_AVAILABLE)
    times = {name: units.seconds(getattr(ceiling, name)) for name in CEILINGS if name.endswith("_s")}
    return {**times, "decode_tokens_per_s": units.rate(ceiling.decode_tokens_per_s, "tok/s")}


def _cleaned(figures: Envelope) -> Envelope:
    """The same with operators that are safe to show: the formats print what a view holds."""
    parts = {
        phase: part.model_copy(update={"peak_op": clean(part.peak_op, MAX_NAME)})
        for phase, part in figures.phases.items()
    }
    return figures.model_copy(update={"peak_op": clean(figures.peak_op, MAX_NAME), "phases": parts})
