"""Cells as rows: every metric, the phases, and the raw repeats, in words."""

from typing import Final

from bench import units
from bench.judge.peak import peak_of
from bench.records.schema import CellResult, Effective, Memory, PhaseMemory, Predicted, Record, Repeat
from bench.records.words import Phase, Provenance
from bench.report import words
from bench.report.interface import Figure, PhasePeak, Repetition, Row
from bench.report.metrics import figures
from bench.report.text import clean

REPEAT_COLUMNS: Final = (
    "Preprocess",
    "Encode",
    "First token",
    "Decode",
    "Latency",
    "Real-time factor",
    "Tokens out",
    "Stopped by",
)
PHASES: Final = {
    Phase.LOAD: "Load",
    Phase.PREPROCESS: "Preprocess",
    Phase.ENCODE: "Encode",
    Phase.PREFILL: "Prefill",
    Phase.DECODE: "Decode",
}


def row(record: Record, cell: CellResult, variant: str) -> Row:
    """One cell of the record. `variant` names the grid that it stands in."""
    wanted, summary = cell.requested, cell.summary
    clip, tokens = units.clip_length(wanted.clip_seconds), f"{wanted.max_tokens:,}"
    peak = peak_of(cell, record.device)
    size_bytes = peak.size_bytes if peak else None
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
        status=words.status(cell.outcome),
        figures=figures(summary),
        peak_words=peak.words if peak else "peak",
        peak=Figure(size_bytes, units.gib(size_bytes)),
        prompt=_prompt(cell.effective),
        labels=tuple(clean(label, 40) for label in summary.labels) if summary else (),
        error_tail=_error_tail(cell),
        phases=_phases(cell.memory),
        repetitions=_repetitions(cell),
    )


def _prompt(effective: Effective | None) -> str:
    if effective is None:
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


def _repetitions(cell: CellResult) -> tuple[Repetition, ...]:
    cold = [Repetition("cold", _raw(cell.cold))] if cell.cold else []
    timed = [Repetition(str(nth), _raw(repeat)) for nth, repeat in enumerate(cell.repeats, start=1)]
    return (*cold, *timed)


def _raw(repeat: Repeat) -> tuple[str, ...]:
    return (
        units.seconds(repeat.preprocess_s),
        units.seconds(repeat.encode_s),
        units.seconds(repeat.time_to_first_token_s),
        units.rate(repeat.decode_tokens_per_s, "tok/s"),
        units.seconds(repeat.latency_s),
        units.ratio(repeat.real_time_factor),
        f"{repeat.generated_tokens:,}",
        repeat.stop_reason,
    )
