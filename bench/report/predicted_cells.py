"""One predicted cell in words: its fit, its memory term by term, and its ceilings of speed."""

from typing import Final

from bench import units
from bench.check.rows import FIT
from bench.records.base import ByteInterval
from bench.records.check import CheckEnvelope, CheckRow
from bench.records.enums import Fit, Phase, Profile, Verdict
from bench.records.prediction import Ceiling, Envelope, PhaseEnvelope
from bench.report import ranges
from bench.report.basics import Status, Tone
from bench.report.details import CellDetail
from bench.report.operators import plain
from bench.report.prediction import CEILINGS, TERMS, PhaseTerms, Prediction
from bench.text import MAX_NAME, clean
from bench.wording.labels import LIKELIHOOD, PREDICTED_CELLS

CELL_TONES: Final = {
    Verdict.RUNS: Tone.GOOD,
    Verdict.RUNS_HEADLESS: Tone.GOOD,
    Verdict.TOO_CLOSE_TO_CALL: Tone.WARN,
    Verdict.DOES_NOT_FIT: Tone.BAD,
    Verdict.UNSUPPORTED: Tone.MUTED,
    Verdict.UNKNOWN: Tone.MUTED,
}
_DOMINANT: Final = {
    "cache_bytes": "KV cache",
    "activations_bytes": "activations",
    "workspace_bytes": "workspace",
    "buffers_bytes": "buffers",
}


def prediction(row: CheckRow, detail: CellDetail | None) -> Prediction | None:
    """The prediction of a cell; None if it ran, or cannot run.

    Several records give the newest prediction. Only one record gives phases and figures without rounding.
    """
    if row.status != "predicted" or row.envelope is None:
        return None
    summary = row.envelope
    figures = summary if detail is None or detail.envelope is None else detail.envelope
    all_logits = row.profile == Profile.FAITHFUL if detail is None else detail.all_logits
    verdict = summary.verdict
    if FIT in row.disagrees:
        verdict = Verdict.TOO_CLOSE_TO_CALL
        summary = summary.model_copy(update={"headless_likely": None, "desktop_likely": None})
    word, tone = _fit_words(verdict, summary)
    return Prediction(
        verdict=verdict,
        fit=Status(verdict.value, word, tone, _why(row) if detail is None else detail.verdict_why),
        also=_also(verdict, summary),
        headless=summary.headless,
        desktop=summary.desktop,
        headless_likely=summary.headless_likely,
        desktop_likely=summary.desktop_likely,
        peak=_peak(figures),
        at_peak=_at_peak(figures, all_logits=all_logits),
        dominant=_dominant(figures),
        terms={name: _term(figures, name) for name in TERMS},
        phases=_phases(figures, all_logits=all_logits),
        ceiling=_ceilings(figures.ceiling),
        envelope=figures,
    )


def _why(row: CheckRow) -> str:
    if FIT in row.disagrees:
        return differ(row)
    needed = None if row.envelope is None else row.envelope.device_peak_bytes
    return "" if needed is None else f"needs {ranges.both_units(needed)}"


def differ(row: CheckRow) -> str:
    """The sentence for predictions of several records that disagree."""
    return f"the predictions of {sum(row.statuses.values())} records differ"


def _fit_words(verdict: Verdict, summary: CheckEnvelope) -> tuple[str, Tone]:
    """`fits`, `headless only`, `likely fits`: the word for a verdict, and how good it is."""
    word, tone = PREDICTED_CELLS[verdict], CELL_TONES[verdict]
    if verdict is Verdict.TOO_CLOSE_TO_CALL:
        is_headless = summary.headless is not None
        return LIKELIHOOD[summary.headless_likely if is_headless else summary.desktop_likely], tone
    desktop_is_open = verdict is Verdict.RUNS_HEADLESS and summary.desktop is not Fit.DOES_NOT_FIT
    return ("fits headless" if desktop_is_open else word), tone


def _also(verdict: Verdict, summary: CheckEnvelope) -> str:
    """Addition to the word, such as `desktop: likely fits`; else empty."""
    if summary.headless is None or verdict not in {Verdict.RUNS_HEADLESS, Verdict.TOO_CLOSE_TO_CALL}:
        return ""
    if summary.desktop is Fit.TOO_CLOSE_TO_CALL:
        differs = verdict is Verdict.RUNS_HEADLESS or summary.desktop_likely is not summary.headless_likely
        return f"desktop: {LIKELIHOOD[summary.desktop_likely]}" if differs else ""
    misfit = verdict is Verdict.TOO_CLOSE_TO_CALL and summary.desktop is Fit.DOES_NOT_FIT
    return "desktop: does not fit" if misfit else ""


def _peak(figures: Envelope | CheckEnvelope) -> str:
    """The range that a card must have; without a card the allocated memory."""
    if figures.device_peak_bytes is None and figures.allocated_peak_bytes is None:
        return units.NOT_AVAILABLE
    if figures.device_peak_bytes is None:
        return f"{units.gib(figures.allocated_peak_bytes)} allocated"
    return ranges.gib(figures.device_peak_bytes)


def _at_peak(figures: Envelope | CheckEnvelope, *, all_logits: bool) -> str:
    """`prefill: logits of every position`; empty if not known."""
    if figures.peak_phase is None or figures.peak_op is None:
        return ""
    words = plain(figures.peak_phase, figures.peak_op, all_logits=all_logits)
    return f"{figures.peak_phase.value}: {words}"


def _dominant(figures: Envelope | CheckEnvelope) -> str:
    """`activations, 2.31 GiB`: the largest term at the peak other than the weights; else empty."""
    part = figures.phases.get(figures.peak_phase) if isinstance(figures, Envelope) else None
    if part is None:
        return ""
    sizes: dict[str, int] = {words: getattr(part, name) for name, words in _DOMINANT.items()}
    largest = max(sizes, key=lambda words: sizes[words])
    return f"{largest}, {units.gib(sizes[largest])}" if sizes[largest] else ""


def _term(figures: Envelope | CheckEnvelope, name: str) -> str:
    value: ByteInterval | int | None = getattr(figures, name)
    if isinstance(value, ByteInterval):
        return ranges.gib(value)
    return units.gib(value)


def _phases(figures: Envelope | CheckEnvelope, *, all_logits: bool) -> tuple[PhaseTerms, ...]:
    parts = figures.phases if isinstance(figures, Envelope) else {}
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


def _ceilings(ceiling: Ceiling | None) -> dict[str, str]:
    """The ceiling under each name of `CEILINGS`."""
    if ceiling is None:
        return dict.fromkeys(CEILINGS, units.NOT_AVAILABLE)
    times = {name: units.seconds(getattr(ceiling, name)) for name in CEILINGS if name.endswith("_s")}
    return {**times, "decode_tokens_per_s": units.rate(ceiling.decode_tokens_per_s, "tok/s")}
