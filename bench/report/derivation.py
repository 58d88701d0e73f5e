"""Facts about a derived record as a whole: units, budgets, sources and comparisons with runs."""

from collections.abc import Iterator, Sequence
from typing import Final

from bench import units
from bench.records.base import ByteInterval
from bench.records.check import Check, CheckPrediction
from bench.records.metrics import METRICS
from bench.records.prediction import Comparison, Derivation, Term
from bench.records.record import Record
from bench.report import ranges
from bench.report.basics import Fact, whole
from bench.report.prediction import Compared, Derived
from bench.text import MAX_NAME, clean
from bench.wording.labels import ATTENTIONS, KERNELS, system

_METRICS: Final = {
    "allocated_peak_bytes": "allocated",
    "reserved_peak_bytes": "reserved",
    "process_peak_bytes": "process, against what is needed of the card",
}
_BUDGETS: Final = {
    "headless": "without a desktop only",
    "desktop": "with a desktop only",
    None: "without a desktop and with one",
}
UNCONFIRMED: Final = "modelled; allocator rules confirmed on recorded traces of real cards, default settings"


def derived(check: Check, how: tuple[Fact, ...], how_lines: tuple[str, ...]) -> Derived | None:
    """The parts of a view that only a derived record has; None for any other."""
    if check.prediction is None:
        return None
    return Derived(
        units_line=units_line(check),
        tiles=tuple(tiles(check)),
        room_line=_room_line(check.prediction),
        shows_headless=any(line.predicted_headless for line in check.frontier),
        shows_desktop=any(line.predicted_desktop for line in check.frontier),
        how=how,
        how_lines=how_lines,
        compared=tuple(map(_compared, check.prediction.compared)),
        inside_line=_inside(check.prediction.compared),
    )


def units_line(check: Check) -> str:
    """`A "12 GB" card reports 12.88 GB (11.99 GiB); the weights are 10.45 GB (9.73 GiB).`

    Cards are named after GiB and weights are stated in GB: compared as written, more memory seems to be left
    than is.
    """
    weights = f"weights are {units.both_units(whole(check.vram.weights_bytes))}"
    total = whole(check.gpu.memory_total_bytes)
    if total is None or check.gpu.kind == "cpu":
        return f"The {weights}."
    size = str(round(total / units.GIB))
    article = "An" if size.startswith("8") or size in {"11", "18"} else "A"
    return f'{article} "{size} GB" card reports {units.both_units(total)}; the {weights}.'


def tiles(check: Check) -> Iterator[Fact]:
    """The card, the weights and the budgets, in GiB, with the same in GB as the note."""
    where = "Memory of the card" if check.gpu.kind == "cuda" else "Memory of the machine"
    total, weights = whole(check.gpu.memory_total_bytes), whole(check.vram.weights_bytes)
    if total is not None:
        yield Fact(where, units.gib(total), units.gb(total))
    yield Fact("Weights", units.gib(weights), units.gb(weights))
    predicted = check.prediction
    if predicted is not None and predicted.room_headless_bytes is not None:
        yield _range("Budget without a desktop", predicted.room_headless_bytes)
    if predicted is not None and predicted.room_desktop_bytes is not None:
        yield _range("Budget with a desktop", predicted.room_desktop_bytes)


def _range(label: str, size: ByteInterval) -> Fact:
    return Fact(label, ranges.gib(size), ranges.gb(size))


def _room_line(predicted: CheckPrediction) -> str:
    headless, desktop = predicted.room_headless_bytes, predicted.room_desktop_bytes
    parts = [
        f"{ranges.gib(headless)} without a desktop" if headless else "",
        f"{ranges.gib(desktop)} with {'one' if headless else 'a desktop'}" if desktop else "",
    ]
    return ", ".join(filter(None, parts))


def how(record: Record) -> tuple[Fact, ...]:
    """Sources of the figures with their evidence; empty if the record has none."""
    derivation = record.derivation
    if derivation is None:
        return ()
    pairs = (*_system(record, derivation), *_sources(derivation), *_costs(derivation), *_settings(record))
    return tuple(Fact(clean(label, MAX_NAME), clean(text)) for label, text in pairs if text)


def how_lines(record: Record) -> tuple[str, ...]:
    """The sources in at most two lines, for a terminal."""
    derivation = record.derivation
    if derivation is None:
        return ()
    first = f"Derived from the {derivation.weights_source}; {derivation.loading}."
    costs = (("driver", derivation.driver_reserve), ("CUDA context", derivation.context))
    assumed = [f"{name} {_range_of(term)}" for name, term in costs if term is not None]
    desktop = derivation.desktop
    if desktop is not None and derivation.headroom != "headless":
        assumed.append(f"desktop {_range_of(desktop)}")
    second = f"Assumed: {', '.join(assumed)}." if assumed else ""
    return tuple(clean(line) for line in (first, second) if line)


def _system(record: Record, derivation: Derivation) -> Iterator[tuple[str, str]]:
    """The system that it is for, and the kernel of each attention."""
    yield "System", "" if derivation.system is None else system(derivation.system)
    kernels: dict[str, None] = {}
    for cell in record.cells:
        if cell.envelope is not None and cell.envelope.attention_kernel is not None:
            attention, kernel = ATTENTIONS[cell.requested.attention], KERNELS[cell.envelope.attention_kernel]
            kernels.setdefault(f"{attention}: {kernel}")
    yield "Attention kernel", ", ".join(kernels)


def _sources(derivation: Derivation) -> Iterator[tuple[str, str]]:
    yield "Weights", f"from the {derivation.weights_source}"
    yield "Loading", derivation.loading
    yield "Tensors", "every allocation and release of a generation, in order, traced without running it"
    yield "Reserved memory", "" if derivation.allocator is None else _reserved(derivation)
    yield "Workspace of kernels", derivation.workspace_source
    if derivation.driver_reserve is not None or derivation.headroom is not None:
        yield "Budgets compared", _BUDGETS[derivation.headroom]


def _reserved(derivation: Derivation) -> str:
    """The model of reserved memory, and whether it was compared with measured records."""
    held = any(comparison.metric == "reserved_peak_bytes" for comparison in derivation.compared)
    state = "modelled, and compared with measured records below" if held else UNCONFIRMED
    return f"{state}: it follows the rules of {derivation.allocator}"


def _costs(derivation: Derivation) -> Iterator[tuple[str, str]]:
    yield "Kept by the driver", _cost(derivation.driver_reserve)
    yield "CUDA context", _cost(derivation.context)
    yield "A desktop", _cost(derivation.desktop)


def _cost(term: Term | None) -> str:
    return "" if term is None else f"{_range_of(term)}; {term.evidence}"


def _range_of(term: Term) -> str:
    """`171–528 MiB (typically 288 MiB)`."""
    typical = "" if term.typical_bytes is None else f" (typically {units.gib(term.typical_bytes)})"
    return f"{ranges.gib(term)}{typical}"


def _settings(record: Record) -> Iterator[tuple[str, str]]:
    wanted = [cell.requested for cell in record.cells]
    yield "Profile", ", ".join(dict.fromkeys(one.profile.value for one in wanted))
    yield "Numbers", ", ".join(dict.fromkeys(one.dtype for one in wanted))
    yield "Attention of the encoder", ", ".join(dict.fromkeys(one.encoder_attention.value for one in wanted))


def _inside(compared: Sequence[Comparison]) -> str:
    """`11 of 12 measured cells are inside ...`: of the whole process, else of what is reserved."""
    for metric, what in (("process_peak_bytes", "needed of the card"), ("reserved_peak_bytes", "reserved")):
        found = [one for one in compared if one.metric == metric and one.inside is not None]
        if found:
            inside, cells = sum(one.inside or 0 for one in found), sum(one.cells for one in found)
            return (
                f"{inside:,} of {cells:,} measured cells are inside the predicted interval of what is "
                f"{what}, before these records calibrated it."
            )
    return ""


def _compared(comparison: Comparison) -> Compared:
    inside = comparison.inside
    low, high = units.ratio(comparison.ratio_low), units.ratio(comparison.ratio_high)
    to = units.gib(METRICS[comparison.metric].noise_bytes)
    return Compared(
        comparison=comparison,
        record=comparison.record_id,
        metric=_METRICS[comparison.metric],
        cells=f"{comparison.cells:,}",
        inside=units.NOT_AVAILABLE if inside is None else f"{inside:,} of {comparison.cells:,} (to {to})",
        factor=units.ratio(comparison.ratio_median),
        spread=f"{low} to {high}",
    )
