"""Cells as rows: every metric, the phases, and the raw repeats, in words."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bench import units
from bench.judge.memory import card_memory, fits_with_desktop, is_contended, peak_of, ran_out_beside_another
from bench.records.enums import Label, Phase, Provenance
from bench.records.record import (
    CellResult,
    Effective,
    Memory,
    MemoryTrace,
    PhaseMemory,
    Predicted,
    Record,
    Repeat,
)
from bench.report import labels
from bench.report.basics import Figure, Status, Tone
from bench.report.card_metrics import all_figures
from bench.report.derived.cells import prediction
from bench.report.interface import PhasePeak, Repetition, Row
from bench.text import clean

_REPEAT_COLUMNS: Final = (
    "Preprocess",
    "Encode",
    "First token",
    "First token, host clock",
    "Decode",
    "Latency",
    "Latency, host clock",
    "Real-time factor",
    "Tokens out",
    "Stopped by",
)
_HOST: Final = frozenset({"First token, host clock", "Latency, host clock"})
NOT_COMPARABLE: Final = "not comparable"
PHASES: Final = {
    Phase.LOAD: "Load",
    Phase.PREPROCESS: "Preprocess",
    Phase.ENCODE: "Encode",
    Phase.PREFILL: "Prefill",
    Phase.DECODE: "Decode",
}


def repeat_columns(record: Record) -> tuple[str, ...]:
    """Headings of the raw numbers; the host's clock only where it ran beside the device's."""
    if _has_host_times(record):
        return _REPEAT_COLUMNS
    return tuple(column for column in _REPEAT_COLUMNS if column not in _HOST)


def _has_host_times(record: Record) -> bool:
    return any(repeat.host_latency_s is not None for cell in record.cells for repeat in cell.repeats)


def row(
    record: Record, cell: CellResult, variant: str, columns: tuple[str, ...], alike: Sequence[CellResult] = ()
) -> Row:
    """One cell of the record. `variant` names the grid that it stands in, `alike` has its doubles.

    `columns` are those of `repeat_columns`, which looks at every cell.
    """
    wanted, summary = cell.requested, cell.summary
    clip, tokens = units.clip_length(wanted.clip_seconds), f"{wanted.max_tokens:,}"
    peak = peak_of(cell, record.device)
    size_bytes = peak.size_bytes if peak else None
    labels = tuple(clean(label, 40) for label in summary.labels) if summary else unmeasured_labels(cell)
    return Row(
        cell_id=cell.cell_id,
        variant=variant,
        attention=wanted.attention,
        profile=wanted.profile.value,
        dtype=wanted.dtype,
        clip_seconds=wanted.clip_seconds,
        max_tokens=wanted.max_tokens,
        clip=clip,
        tokens=tokens,
        shape=f"{clip} × {tokens}",
        # A predicted cell in a measured record is a prediction all the same.
        provenance=Provenance.DERIVED if isinstance(cell.outcome, Predicted) else record.provenance,
        weight_mode=wanted.weight_mode,
        status=_status(cell),
        figures=all_figures(cell, record.emulation),
        peak_words=peak.words if peak else "peak",
        peak=Figure(size_bytes, units.gib(size_bytes)),
        prompt=_prompt(cell.effective),
        labels=labels,
        marks=(*(labels if summary else ()), *((NOT_COMPARABLE,) if alike else ())),
        comparison=_comparison(cell, alike),
        same_kernels_as=tuple(other.cell_id for other in alike),
        fits_with_desktop=fits_with_desktop(cell, card_memory(record), record.emulation),
        error_tail=_error_tail(cell),
        phases=_phases(cell.memory),
        repetitions=_repetitions(cell, columns),
        prediction=prediction(cell, record),
        predicted_bytes=cell.envelope.device_peak_bytes if cell.envelope else None,
        machines=None if record.machine_key is None else 1,
        records=1,
        trace=trace_of(cell),
    )


def trace_of(cell: CellResult) -> MemoryTrace | None:
    """Memory over time with its text cleaned; None where nobody watched."""
    trace = cell.memory_trace
    return trace.model_copy(update={"source": clean(trace.source)}) if trace else None


def _comparison(cell: CellResult, alike: Sequence[CellResult]) -> str:
    if not alike:
        return ""
    others = " and ".join(labels.ATTENTIONS[other.requested.attention] for other in alike)
    return (
        f"asked for {labels.ATTENTIONS[cell.requested.attention]} and ran the same kernels as {others}: "
        "not comparable"
    )


def _status(cell: CellResult) -> Status:
    """The outcome; that another program took part of the memory stands wherever the reason does."""
    told = labels.status(cell.outcome)
    if not ran_out_beside_another(cell):
        return told
    reason = "; ".join((told.reason, "another program computed on the card: measure it again"))
    return replace(told, word=f"{told.word} ({Label.CONTENDED})", tone=Tone.WARN, reason=reason)


def unmeasured_labels(cell: CellResult) -> tuple[str, ...]:
    """Of a cell without figures one label matters: another program may be why it has none."""
    return (Label.CONTENDED.value,) if is_contended(cell) else ()


def _prompt(effective: Effective | None) -> str:
    if effective is None or effective.prompt_tokens is None or effective.audio_tokens is None:
        return ""
    return f"{effective.prompt_tokens:,} prompt tokens, {effective.audio_tokens:,} of them audio"


def _error_tail(cell: CellResult) -> tuple[str, ...]:
    if cell.outcome.status in {"failed", "timeout"}:
        return tuple(clean(line) for line in cell.outcome.error_tail)
    return ()


def _phases(memory: Memory | None) -> dict[str, PhasePeak]:
    if memory is None:
        return {}
    return {PHASES[phase]: _peak(memory.phases[phase]) for phase in Phase if phase in memory.phases}


def _peak(memory: PhaseMemory) -> PhasePeak:
    return PhasePeak(
        allocated=units.gib(memory.allocated_peak_bytes),
        reserved=units.gib(memory.reserved_peak_bytes),
        resident=units.gib(memory.resident_peak_bytes),
    )


def _repetitions(cell: CellResult, columns: tuple[str, ...]) -> tuple[Repetition, ...]:
    cold = [("cold", cell.cold)] if cell.cold else []
    timed = [(str(nth), repeat) for nth, repeat in enumerate(cell.repeats, start=1)]
    texts = ((name, _raw(repeat)) for name, repeat in (*cold, *timed))
    return tuple(Repetition(name, tuple(raw[column] for column in columns)) for name, raw in texts)


def _raw(repeat: Repeat) -> dict[str, str]:
    texts = (
        units.seconds(repeat.preprocess_s),
        units.seconds(repeat.encode_s),
        units.seconds(repeat.time_to_first_token_s),
        units.seconds(repeat.host_time_to_first_token_s),
        units.rate(repeat.decode_tokens_per_s, "tok/s"),
        units.seconds(repeat.latency_s),
        units.seconds(repeat.host_latency_s),
        units.ratio(repeat.real_time_factor),
        f"{repeat.generated_tokens:,}",
        repeat.stop_reason,
    )
    return dict(zip(_REPEAT_COLUMNS, texts, strict=True))
