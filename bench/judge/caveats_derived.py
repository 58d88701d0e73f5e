"""What a reader must know before believing a prediction: one sentence each."""

from collections.abc import Iterator

from bench import units
from bench.judge.card import share
from bench.judge.prediction import Budgets, cell_verdict
from bench.records.enums import Verdict
from bench.records.prediction import Comparison, Derivation
from bench.records.record import Record


def about_the_prediction(record: Record, budgets: Budgets) -> Iterator[str]:
    """Everything that limits what the figures of a derived record mean."""
    if record.device.kind == "cpu":
        yield "Derived for the kernels of a CPU: no figure here is one of a graphics card."
    if record.derivation is not None:
        yield from _about_the_allocator(record.derivation)
        yield from _about_the_ranges(record.derivation)
    if any(cell.envelope is not None and cell.envelope.ceiling is not None for cell in record.cells):
        yield "Speeds are ceilings, from the card's bandwidth and BF16 rate: a run is slower."
    verdicts = [cell_verdict(cell, budgets).verdict for cell in record.cells]
    yield from share(record, verdicts.count(Verdict.TOO_CLOSE_TO_CALL), "are too close to call: run them")


def _about_the_allocator(derivation: Derivation) -> Iterator[str]:
    reserved = [found for found in derivation.compared if found.metric == "reserved_peak_bytes"]
    if reserved:
        yield f"Reserved bytes are modelled: measured on this card they were {_ratios(reserved)}."
    elif derivation.allocator is not None:
        yield (
            f"Reserved bytes are modelled on the rules of {derivation.allocator}, not yet confirmed against "
            "the allocator of a real card."
        )


def _ratios(compared: list[Comparison]) -> str:
    """`0.97 to 1.02 times the prediction in 24 cells of 2 records`."""
    low, high = min(found.ratio_low for found in compared), max(found.ratio_high for found in compared)
    cells, records = sum(found.cells for found in compared), len({found.record_id for found in compared})
    low_words, high_words = units.ratio(low), units.ratio(high)
    span = low_words if low_words == high_words else f"{low_words} to {high_words}"
    return (
        f"{span} times the prediction in {cells} cell{'' if cells == 1 else 's'} of "
        f"{records} record{'' if records == 1 else 's'}"
    )


def _about_the_ranges(derivation: Derivation) -> Iterator[str]:
    if derivation.driver_reserve is None or derivation.context is None:
        return
    parts = "Driver reserve and CUDA context"
    if derivation.headroom != "headless":
        parts = "Driver reserve, CUDA context and what a desktop takes"
    yield f"{parts} are ranges that other machines showed: this one may have others."
