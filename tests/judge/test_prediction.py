"""A need against a room, both as intervals: what is said must hold for the whole of both."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.judge.prediction import (
    ORDER,
    Budgets,
    CellFit,
    CellVerdict,
    best,
    budgets_of,
    cell_fit,
    cell_verdict,
    is_derived,
)
from bench.records.base import ByteInterval
from bench.records.enums import Fit, OperatingSystem, Verdict
from bench.records.prediction import PlannedSystem, Term
from bench.records.reasons import FlashAttentionNotInstalled
from bench.records.record import Record
from bench.records.verdicts import (
    BudgetAnswer,
    CardMemoryUnknown,
    CpuHasNoBudget,
    HeldAgainstBudgets,
    NoPrediction,
)
from bench.units import MIB
from bench.wording.outcomes import unsupported
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples import records as sample

FITS, MISFIT, CLOSE = Fit.FITS, Fit.DOES_NOT_FIT, Fit.TOO_CLOSE_TO_CALL
SIZES = st.integers(0, 40_000)


def judged(need: ByteInterval, headroom: derived.Headroom | None = None) -> tuple[CellFit, CellVerdict]:
    cell = derived.predicted(sample.requested(), need=need)
    record = derived.derived_record([cell], headroom=headroom)
    return cell_fit(cell, budgets_of(record)), cell_verdict(cell, budgets_of(record))


def decided_by(said: CellVerdict) -> list[tuple[str, Fit]]:
    assert isinstance(said.why, HeldAgainstBudgets)
    return [(answer.budget, answer.fit) for answer in said.why.answers]


def test_the_rooms_are_the_total_less_the_terms_of_the_record() -> None:
    record = derived.derived_record([])
    assert budgets_of(record) == Budgets(derived.mib(12282 - 614, 12282 - 205), derived.mib(10068, 11866))
    assert is_derived(record)


def test_typical_costs_leave_one_number_for_the_allocator() -> None:
    budgets = budgets_of(derived.with_typical(derived.derived_record([])))
    assert budgets.headless_typical_bytes == (12282 - 264 - 292) * MIB
    assert budgets.desktop_typical_bytes == (12282 - 264 - 292 - 700) * MIB
    desktop = budgets_of(derived.with_typical(derived.derived_record([], headroom="desktop")))
    assert (desktop.headless_typical_bytes, desktop.desktop_typical_bytes) == (
        None,
        budgets.desktop_typical_bytes,
    )


@given(low=st.integers(8_000, 13_000), spread=st.integers(0, 1_500))
def test_what_fits_likely_fits_and_what_does_not_fit_does_not_likely(low: int, spread: int) -> None:
    cell = derived.predicted(sample.requested())
    assert cell.envelope is not None
    reserved = derived.mib(low, low + spread)
    context = derived.CONTEXT
    need = ByteInterval(low=reserved.low + context.low, high=reserved.high + context.high)
    envelope = cell.envelope.model_copy(update={"reserved_peak_bytes": reserved, "device_peak_bytes": need})
    record = derived.with_typical(
        derived.derived_record([cell.model_copy(update={"envelope": envelope})], with_longest_clips=True)
    )
    fit = cell_fit(record.cells[0], budgets_of(record))
    assert fit.headless_likely == (low + spread <= 12282 - 264 - 292)
    for certain, likely in ((fit.headless, fit.headless_likely), (fit.desktop, fit.desktop_likely)):
        assert certain is CLOSE or likely == (certain is FITS)
    assert fit.headless_likely or not fit.desktop_likely


def test_a_record_without_typical_costs_says_nothing_of_likely() -> None:
    record = derived.derived_record()
    assert {cell_fit(cell, budgets_of(record)).headless_likely for cell in record.cells} == {None}


def test_a_card_smaller_than_its_terms_has_no_room_and_not_less() -> None:
    tiny = derived.RTX_4070.model_copy(update={"memory_total_bytes": 300 * MIB})
    assert budgets_of(derived.derived_record([], device=tiny)) == Budgets(
        derived.mib(0, 95), derived.mib(0, 0)
    )


@pytest.mark.parametrize(
    ("need", "fit", "verdict"),
    [
        (derived.FITS_BESIDE_A_DESKTOP, CellFit(FITS, FITS), Verdict.RUNS),
        (derived.FITS_HEADLESS, CellFit(FITS, CLOSE), Verdict.RUNS_HEADLESS),
        (derived.TOO_CLOSE, CellFit(CLOSE, CLOSE), Verdict.TOO_CLOSE_TO_CALL),
        (derived.DOES_NOT_FIT, CellFit(MISFIT, MISFIT), Verdict.DOES_NOT_FIT),
        (derived.mib(9_000, 10_068), CellFit(FITS, FITS), Verdict.RUNS),  # to the last byte
        (derived.mib(12_077, 12_900), CellFit(CLOSE, MISFIT), Verdict.TOO_CLOSE_TO_CALL),
    ],
)
def test_four_verdicts(need: ByteInterval, fit: CellFit, verdict: Verdict) -> None:
    found, said = judged(need)
    assert (found, said.verdict) == (fit, verdict)


def test_fits_headless_and_surely_not_beside_a_desktop() -> None:
    narrow = Term(low_bytes=1000 * MIB, high_bytes=1600 * MIB, evidence="seen")
    cell = derived.predicted(sample.requested(), need=derived.mib(11_400, 11_600))
    record = derived.derived_record([cell])
    assert record.derivation is not None
    changed = record.derivation.model_copy(update={"desktop": narrow})
    said = cell_verdict(cell, budgets_of(record.model_copy(update={"derivation": changed})))
    assert said.verdict is Verdict.RUNS_HEADLESS
    assert decided_by(said) == [("headless", FITS), ("desktop", MISFIT)]


def test_headless_with_a_desktop_too_close_says_so() -> None:
    why = judged(derived.FITS_HEADLESS)[1].why
    assert why == HeldAgainstBudgets(
        answers=(
            BudgetAnswer(
                budget="headless",
                fit=FITS,
                need_bytes=derived.FITS_HEADLESS,
                available_bytes=derived.mib(12282 - 614, 12282 - 205),
            ),
            BudgetAnswer(
                budget="desktop",
                fit=CLOSE,
                need_bytes=derived.FITS_HEADLESS,
                available_bytes=derived.mib(10068, 11866),
            ),
        )
    )


@pytest.mark.parametrize(
    ("headroom", "need", "verdict"),
    [
        ("headless", derived.FITS_BESIDE_A_DESKTOP, Verdict.RUNS_HEADLESS),
        ("headless", derived.FITS_HEADLESS, Verdict.RUNS_HEADLESS),
        ("headless", derived.TOO_CLOSE, Verdict.TOO_CLOSE_TO_CALL),
        ("headless", derived.DOES_NOT_FIT, Verdict.DOES_NOT_FIT),
        ("desktop", derived.FITS_BESIDE_A_DESKTOP, Verdict.RUNS),
        ("desktop", derived.FITS_HEADLESS, Verdict.TOO_CLOSE_TO_CALL),
        ("desktop", derived.mib(11_900, 12_000), Verdict.DOES_NOT_FIT),
    ],
)
def test_one_room_alone_decides_where_it_alone_was_asked_for(
    headroom: derived.Headroom, need: ByteInterval, verdict: Verdict
) -> None:
    fit, said = judged(need, headroom)
    assert said.verdict is verdict
    assert (fit.headless is None, fit.desktop is None) == (headroom == "desktop", headroom == "headless")
    assert [budget for budget, _ in decided_by(said)] == [headroom]


@given(
    low=SIZES, width=SIZES, more=SIZES, wider=SIZES, headroom=st.sampled_from([None, "headless", "desktop"])
)
def test_more_need_never_gets_a_better_verdict(
    low: int, width: int, more: int, wider: int, headroom: derived.Headroom | None
) -> None:
    less = judged(derived.mib(low, low + width), headroom)[1].verdict
    larger = judged(derived.mib(low + more, low + more + width + wider), headroom)[1].verdict
    assert ORDER.index(larger) >= ORDER.index(less)


@given(need=SIZES, wide=SIZES, low=SIZES, width=SIZES, desktop=SIZES, more=SIZES, with_headless=st.booleans())
def test_a_larger_budget_never_gets_a_worse_verdict(
    need: int, wide: int, low: int, width: int, desktop: int, more: int, with_headless: bool
) -> None:
    cell = derived.predicted(sample.requested(), need=derived.mib(need, need + wide))

    def verdict(added: int) -> int:
        headless = derived.mib(low + added, low + added + width)
        beside = derived.mib(max(0, headless.low // MIB - desktop), max(0, headless.high // MIB - desktop))
        return ORDER.index(cell_verdict(cell, Budgets(headless if with_headless else None, beside)).verdict)

    assert verdict(more) <= verdict(0)


@pytest.mark.parametrize("system", ["windows", "wsl2"])
def test_under_windows_a_cell_runs_beside_the_desktop_or_not_at_all(system: OperatingSystem) -> None:
    planned = PlannedSystem(os=system, torch="2.13")
    for need, verdict in (
        (derived.FITS_BESIDE_A_DESKTOP, Verdict.RUNS),
        (derived.FITS_HEADLESS, Verdict.TOO_CLOSE_TO_CALL),
        (derived.DOES_NOT_FIT, Verdict.DOES_NOT_FIT),
    ):
        cell = derived.predicted(sample.requested(), need=need)
        record = derived.derived_record([cell], headroom="desktop", system=planned)
        said = cell_verdict(cell, budgets_of(record))
        assert said.verdict is verdict
        assert [budget for budget, _ in decided_by(said)] == ["desktop"]


@given(low=SIZES, width=SIZES, share=st.floats(0, 1), there=st.floats(0, 1))
def test_what_is_certain_holds_for_every_machine(low: int, width: int, share: float, there: float) -> None:
    """Wherever the truth lies within both intervals."""
    found, _ = judged(derived.mib(low, low + width))
    need = (low + share * width) * MIB
    room = budgets_of(derived.derived_record([]))
    for fit, place in ((found.headless, room.headless), (found.desktop, room.desktop)):
        assert place is not None
        least = place.low + there * (place.high - place.low)
        assert fit is not FITS or need <= least + 1
        assert fit is not MISFIT or need > least - 1


def test_what_is_unsupported_stays_so_with_its_reason() -> None:
    reason = FlashAttentionNotInstalled()
    cell = sample.not_measured(sample.requested(), unsupported(reason))
    said = cell_verdict(cell, budgets_of(derived.derived_record([cell])))
    assert said == CellVerdict(Verdict.UNSUPPORTED, reason)


def test_a_cpu_has_no_budget_and_a_predicted_peak() -> None:
    record = derived.derived_record(device=sample.CPU, clips=[10.0], tokens=[128])
    assert record.cells[0].envelope is not None
    peak = record.cells[0].envelope.allocated_peak_bytes
    assert budgets_of(record) == Budgets(on_cpu=True)
    assert cell_fit(record.cells[0], budgets_of(record)) == CellFit(None, None)
    assert cell_verdict(record.cells[0], budgets_of(record)) == CellVerdict(
        Verdict.UNKNOWN, CpuHasNoBudget(allocated_peak_bytes=peak)
    )


def without_total(record: Record) -> Record:
    unknown = record.device.model_copy(update={"memory_total_bytes": None})
    return record.model_copy(update={"device": unknown})


def test_a_card_of_unknown_memory_is_unknown_not_too_small() -> None:
    record = without_total(derived.derived_record(clips=[10.0], tokens=[128]))
    assert cell_verdict(record.cells[0], budgets_of(record)) == CellVerdict(
        Verdict.UNKNOWN, CardMemoryUnknown()
    )


def test_a_cell_that_ran_is_no_prediction() -> None:
    cell = cards.measured()
    record = derived.derived_record([cell])
    assert cell_fit(cell, budgets_of(record)) == CellFit()
    assert cell_verdict(cell, budgets_of(record)) == CellVerdict(Verdict.UNKNOWN, NoPrediction())
    assert budgets_of(cards.with_card([cell])) == Budgets()


def test_the_best_of_several_verdicts() -> None:
    assert best([Verdict.DOES_NOT_FIT, Verdict.RUNS_HEADLESS, Verdict.UNSUPPORTED]) is Verdict.RUNS_HEADLESS
    assert best([Verdict.UNSUPPORTED, Verdict.UNKNOWN]) is None
