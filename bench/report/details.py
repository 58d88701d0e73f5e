"""Details of a page that only a record has, not its check document."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from bench import units
from bench.judge.prediction import Budgets, cell_verdict
from bench.judge.same_system import CellSystems
from bench.records.cell import CellResult, Effective, Memory, MemoryTrace, PhaseMemory, Repeat
from bench.records.check import Check, CheckRow
from bench.records.enums import AttentionKernel, Phase, Profile, Provenance
from bench.records.prediction import Envelope
from bench.records.record import Record
from bench.report import card, facts
from bench.report.basics import Fact, Figure
from bench.report.columns import all_figures
from bench.report.derivation import how, how_lines
from bench.report.interface import Kernels, PhasePeak, Repetition
from bench.report.planned import predictions_of
from bench.report.repeat import command
from bench.text import MAX_NAME, clean
from bench.wording import predictions

Key = tuple[str, Provenance, AttentionKernel | None]
"""Key of a row of a check document: the id of its cell, the provenance of its figures, and its kernel."""

PHASES: Final = {
    Phase.LOAD: "Load",
    Phase.PREPROCESS: "Preprocess",
    Phase.ENCODE: "Encode",
    Phase.PREFILL: "Prefill",
    Phase.DECODE: "Decode",
}
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


@dataclass(frozen=True, slots=True)
class CellDetail:
    """One cell of one record.

    `figures` has every name of `COLUMNS`, unrounded. `envelope` is the prediction of the cell, by its own
    record or by the plan of the run; `verdict_why` says why that fits or not. `all_logits`: the prefill
    computes the logits of all positions.
    """

    figures: Mapping[str, Figure]
    prompt: str
    error_tail: tuple[str, ...]
    phases: Mapping[str, PhasePeak]
    repetitions: tuple[Repetition, ...]
    envelope: Envelope | None
    verdict_why: str
    all_logits: bool


@dataclass(frozen=True, slots=True)
class PageFacts:
    """The facts before and after the tables of a page. `how` and `how_lines`: the sources of a prediction."""

    header: tuple[Fact, ...]
    repeat_command: str
    repeat_notes: tuple[str, ...]
    card: tuple[Fact, ...]
    card_lines: tuple[str, ...]
    environment: tuple[Fact, ...]
    memory_sources: tuple[Fact, ...] = ()
    repeat_columns: tuple[str, ...] = ()
    kernels: tuple[Kernels, ...] = ()
    how: tuple[Fact, ...] = ()
    how_lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Details:
    """Additions to a check document: for one record all its details, for several their newest traces.

    `cells` are in the order of the record. `facts` is None for several records.
    """

    cells: Mapping[Key, CellDetail] = field(default_factory=lambda: MappingProxyType({}))
    traces: Mapping[Key, MemoryTrace] = field(default_factory=lambda: MappingProxyType({}))
    facts: PageFacts | None = None


def details_of(record: Record, check: Check, plan: Record | None = None) -> Details:
    """The details of one record, whose check document is `check`.

    `plan`: a derived record of the same model on the same device, whose predictions are shown with what ran.
    """
    predicted = check.prediction
    budgets = Budgets(
        headless=predicted.room_headless_bytes if predicted else None,
        desktop=predicted.room_desktop_bytes if predicted else None,
        on_cpu=check.gpu.kind == "cpu",
        headless_typical_bytes=predicted.typical_headless_bytes if predicted else None,
        desktop_typical_bytes=predicted.typical_desktop_bytes if predicted else None,
    )
    columns, key = _columns(record), _keys(record)
    planned = {} if plan is None else predictions_of(plan, record)
    return Details(
        cells={
            key(cell): CellDetail(
                figures=all_figures(cell, record.emulation),
                prompt=_prompt(cell.effective),
                error_tail=_error_tail(cell),
                phases=_phases(cell.memory),
                repetitions=_repetitions(cell, columns),
                envelope=_cleaned(cell.envelope or planned.get(cell.cell_id)),
                verdict_why=_why(cell, budgets) if _is_predicted(cell) else "",
                all_logits=_has_all_logits(cell),
            )
            for cell in record.cells
        },
        traces=dict(_traces(record)),
        facts=_facts(record, check, plan, columns),
    )


def traces_of(check: Check, newest_first: Iterable[Record]) -> Details:
    """The traces for a check of several records: for each cell the trace of the newest run that has one.

    Memory over time has no median. Reads no more records than needed.
    """
    wanted = {key_of(row) for row in check.rows if row.status == "measured"}
    found: dict[Key, MemoryTrace] = {}
    for record in newest_first:
        for key, trace in _traces(record):
            if key in wanted:
                found.setdefault(key, trace)
        if len(found) == len(wanted):
            break
    return Details(traces=found)


def _facts(record: Record, check: Check, plan: Record | None, columns: tuple[str, ...]) -> PageFacts:
    repeat_command, repeat_notes = command(record)
    return PageFacts(
        header=(*facts.header(record), *facts.predicted_by(plan)),
        repeat_command=repeat_command,
        repeat_notes=repeat_notes,
        card=card.facts(record, check),
        card_lines=tuple(map(clean, card.lines(record, check))),
        environment=facts.environment(record),
        memory_sources=facts.memory_sources(record),
        repeat_columns=columns,
        kernels=facts.kernels(record),
        how=how(record),
        how_lines=how_lines(record),
    )


def key_of(row: CheckRow) -> Key:
    """Key of a row."""
    return row.cell_id, row.provenance, row.attention_kernel


def _keys(record: Record) -> Callable[[CellResult], Key]:
    """The lookup of the keys of its cells; a predicted cell in a measured record counts as derived."""
    systems = CellSystems.of(record)

    def key(cell: CellResult) -> Key:
        provenance = Provenance.DERIVED if _is_predicted(cell) else record.provenance
        return cell.cell_id, provenance, systems.kernel(cell)

    return key


def _why(cell: CellResult, budgets: Budgets) -> str:
    return clean(predictions.cell(cell_verdict(cell, budgets).why))


def _is_predicted(cell: CellResult) -> bool:
    return cell.outcome.status == "predicted"


def _traces(record: Record) -> Iterator[tuple[Key, MemoryTrace]]:
    """Memory traces of the cells that have one, their text cleaned."""
    key = _keys(record)
    for cell in record.cells:
        trace = cell.memory_trace
        if trace is not None:
            yield key(cell), trace.model_copy(update={"source": clean(trace.source)})


def _has_all_logits(cell: CellResult) -> bool:
    if cell.effective is not None and cell.effective.logits_positions is not None:
        return cell.effective.logits_positions == "all"
    return cell.requested.profile is Profile.FAITHFUL


def _cleaned(figures: Envelope | None) -> Envelope | None:
    """A copy whose operator names are clean: formats print them as they are."""
    if figures is None:
        return None
    parts = {
        phase: part.model_copy(update={"peak_op": clean(part.peak_op, MAX_NAME)})
        for phase, part in figures.phases.items()
    }
    return figures.model_copy(update={"peak_op": clean(figures.peak_op, MAX_NAME), "phases": parts})


def _columns(record: Record) -> tuple[str, ...]:
    """Headings of the raw numbers; those of the host's clock only if any repeat has them."""
    if _has_host_times(record):
        return _REPEAT_COLUMNS
    return tuple(column for column in _REPEAT_COLUMNS if column not in _HOST)


def _has_host_times(record: Record) -> bool:
    return any(repeat.host_latency_s is not None for cell in record.cells for repeat in cell.repeats)


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
