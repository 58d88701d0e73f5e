"""What a cell needs against what the card has."""

from bench.judge.memory import CardMemory, card_memory, fits_with_desktop, needed_bytes
from bench.records.enums import Provenance
from bench.records.record import CellResult
from tests.samples import cards
from tests.samples import records as sample


def without(cell: CellResult, *names: str) -> CellResult:
    """The cell without some figures of its summary or of the driver."""
    assert cell.summary is not None
    assert cell.device_memory is not None
    absent = dict.fromkeys(names)
    return cell.model_copy(
        update={
            "summary": cell.summary.model_copy(update=absent),
            "device_memory": cell.device_memory.model_copy(update=absent),
        }
    )


def test_the_process_is_what_a_card_must_hold() -> None:
    cell = cards.measured()
    assert cell.summary is not None
    assert needed_bytes(cell, None) == cell.summary.process_peak_bytes


def test_without_it_reserved_and_context_then_the_growth_of_the_card() -> None:
    cell = cards.measured()
    assert cell.summary is not None
    assert cell.summary.reserved_peak_bytes is not None
    assert cell.summary.device_peak_bytes is not None
    hidden = without(cell, "process_peak_bytes")
    assert needed_bytes(hidden, None) == cell.summary.reserved_peak_bytes + cards.CONTEXT
    less = without(hidden, "context_bytes")
    assert needed_bytes(less, None) == cell.summary.device_peak_bytes - cards.BASELINE
    assert needed_bytes(without(less, "baseline_bytes"), None) is None


def test_what_did_not_run_needs_nothing_that_is_known() -> None:
    assert needed_bytes(sample.out_of_memory(sample.requested()), None) is None


def test_a_played_card_has_its_own_context_and_budget() -> None:
    cell, record = cards.measured(), cards.emulated()
    assert cell.summary is not None
    assert cell.summary.reserved_peak_bytes is not None
    assert needed_bytes(cell, cards.PLAYED) == cell.summary.reserved_peak_bytes + cards.CONTEXT
    assert card_memory(record) == CardMemory(
        headless_bytes=cards.HEADLESS,
        desktop_bytes=cards.HEADLESS - cards.DESKTOP,
        now_bytes=None,
        played_bytes=12_878_610_432,
    )


def test_a_card_that_a_cpu_played_counts_the_tensors() -> None:
    cell = sample.measured(sample.requested(), device=sample.CPU)
    assert cell.summary is not None
    assert cell.summary.allocated_peak_bytes is not None
    played = cards.PLAYED.model_copy(update={"enforced_by": "allocation tracker"})
    assert needed_bytes(cell, played) == cell.summary.allocated_peak_bytes + cards.CONTEXT


def test_no_budget_no_answer() -> None:
    record = sample.record([cards.measured()], provenance=Provenance.MEASURED)
    assert card_memory(record) == CardMemory()
    assert fits_with_desktop(record.cells[0], card_memory(record), None) is None


def test_what_spilled_fits_nowhere() -> None:
    cell = cards.measured()
    assert cell.summary is not None
    spilled = cell.model_copy(update={"summary": cell.summary.model_copy(update={"labels": ("spilled",)})})
    record = cards.with_card([cell, spilled])
    assert [fits_with_desktop(each, card_memory(record), None) for each in (cell, spilled)] == [True, False]
