"""How the figures came about, and how they stand against measured ones."""

from collections.abc import Iterator
from typing import Final

from bench import units
from bench.records.prediction import Comparison, Derivation, Term
from bench.records.record import Record
from bench.report.basics import Fact
from bench.report.derived import byte_ranges
from bench.report.derived.interface import Compared
from bench.text import MAX_NAME, clean

_METRICS: Final = {
    "allocated_peak_bytes": "allocated",
    "reserved_peak_bytes": "reserved",
    "process_peak_bytes": "process, against what is needed of the card",
}
_BUDGETS: Final = {
    "headless": "without a desktop only",
    "desktop": "beside a desktop only",
    None: "without a desktop and beside one",
}
UNCONFIRMED: Final = "modelled, not yet confirmed on a real card"


def how(record: Record) -> tuple[Fact, ...]:
    """Every source of the figures with its evidence; empty where the record does not say."""
    derivation = record.derivation
    if derivation is None:
        return ()
    pairs = (*_sources(derivation), *_costs(derivation), *_settings(record))
    return tuple(Fact(clean(label, MAX_NAME), clean(text)) for label, text in pairs if text)


def how_lines(record: Record) -> tuple[str, ...]:
    """The same in two lines, for a terminal; the caveats say what of it is not confirmed."""
    derivation = record.derivation
    if derivation is None:
        return ()
    first = f"Derived from the {derivation.weights_source}; {derivation.loading}."
    costs = (("driver", derivation.driver_reserve), ("CUDA context", derivation.context))
    ranges = [
        f"{name} {byte_ranges.gib(byte_ranges.of_term(term))}" for name, term in costs if term is not None
    ]
    desktop = derivation.desktop
    if desktop is not None and derivation.headroom != "headless":
        ranges.append(f"desktop {byte_ranges.gib(byte_ranges.of_term(desktop))}")
    second = f"Assumed: {', '.join(ranges)}." if ranges else ""
    return tuple(clean(line) for line in (first, second) if line)


def _sources(derivation: Derivation) -> Iterator[tuple[str, str]]:
    yield "Weights", f"from the {derivation.weights_source}"
    yield "Loading", derivation.loading
    yield "Tensors", "every allocation and release of a generation, in order, traced without running it"
    yield "Reserved memory", "" if derivation.allocator is None else _reserved(derivation)
    yield "Workspace of kernels", derivation.workspace_source
    if derivation.driver_reserve is not None or derivation.headroom is not None:
        yield "Held against the card", _BUDGETS[derivation.headroom]


def _reserved(derivation: Derivation) -> str:
    """Modelled; and whether any measured record has been held against it."""
    held = any(comparison.metric == "reserved_peak_bytes" for comparison in derivation.compared)
    state = "modelled, and held against measured records below" if held else UNCONFIRMED
    return f"{state}: it follows the rules of {derivation.allocator}"


def _costs(derivation: Derivation) -> Iterator[tuple[str, str]]:
    yield "Kept by the driver", _cost(derivation.driver_reserve)
    yield "CUDA context", _cost(derivation.context)
    yield "A desktop", _cost(derivation.desktop)


def _cost(term: Term | None) -> str:
    return "" if term is None else f"{byte_ranges.gib(byte_ranges.of_term(term))}; {term.evidence}"


def _settings(record: Record) -> Iterator[tuple[str, str]]:
    wanted = [cell.requested for cell in record.cells]
    yield "Profile", ", ".join(dict.fromkeys(one.profile.value for one in wanted))
    yield "Numbers", ", ".join(dict.fromkeys(one.dtype for one in wanted))
    yield "Attention of the encoder", ", ".join(dict.fromkeys(one.encoder_attention.value for one in wanted))


def compared(record: Record) -> tuple[Compared, ...]:
    """Each measured record that the prediction was held against."""
    derivation = record.derivation
    return tuple(map(_compared, derivation.compared)) if derivation else ()


def _compared(comparison: Comparison) -> Compared:
    inside = comparison.inside
    low, high = units.ratio(comparison.ratio_low), units.ratio(comparison.ratio_high)
    return Compared(
        comparison=comparison.model_copy(
            update={
                "record_id": clean(comparison.record_id, MAX_NAME),
                "content_hash": clean(comparison.content_hash, MAX_NAME),
            }
        ),
        record=clean(comparison.record_id, MAX_NAME),
        metric=_METRICS[comparison.metric],
        cells=f"{comparison.cells:,}",
        inside=units.NOT_AVAILABLE if inside is None else f"{inside:,} of {comparison.cells:,}",
        factor=units.ratio(comparison.ratio_median),
        spread=f"{low} to {high}",
    )
