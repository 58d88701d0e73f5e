"""What limits the figures of a record: which caveats it has, with their numbers."""

import pytest

from bench.judge.verdict import judge
from bench.records import caveats as known
from bench.records.card import DeviceState, Sampled
from bench.records.caveats import RecordCaveat, SomeCells, SomeCellsCode
from bench.records.cell import CellResult
from bench.records.enums import Attention, AttentionKernel, OperatingSystem, Provenance, WeightMode
from bench.records.prediction import Comparison, PlannedSystem
from bench.records.record import ModelInfo, Record
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples import records as sample


def caveats(record: Record) -> tuple[RecordCaveat, ...]:
    return judge(record).caveats


def some(code: SomeCellsCode, count: int, cells: int) -> SomeCells:
    return SomeCells(code=code, count=count, cells=cells)


def kinds(record: Record) -> set[type[RecordCaveat]]:
    return {type(caveat) for caveat in caveats(record)}


# --- of a run ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "caveat"),
    [
        (sample.standard(WeightMode.RANDOM), known.RandomWeights()),
        (sample.standard(WeightMode.LOCAL), known.LocalWeights(shapes_only=False)),
        (sample.standard(), some("cells_noisy", 1, 48)),
        (sample.standard(), some("cells_pruned", 1, 48)),
        (sample.standard(), some("cells_failed", 2, 48)),
        (sample.interrupted(), some("cells_interrupted", 5, 6)),
        (sample.smoke(), known.RanOnCpu()),
        (sample.record(sample.standard().cells, provenance=Provenance.EMULATED), known.EmulatedMemory()),
        (cards.rtx_4070(), some("cells_ran_same_kernels", 4, 26)),
    ],
)
def test_what_limits_the_figures_is_a_caveat(record: Record, caveat: RecordCaveat) -> None:
    assert caveat in caveats(record)


def test_a_smoke_run_says_so_first() -> None:
    assert caveats(sample.smoke())[0] == known.TinyModel()


def test_a_card_that_a_cpu_emulated_has_one_caveat_for_both() -> None:
    cells = [sample.measured(sample.requested(), device=sample.CPU)]
    record = cards.with_card(cells, device=sample.CPU, state=None, emulation=cards.PLAYED)
    assert known.EmulatedOnCpu in kinds(record)
    assert not kinds(record) & {known.EmulatedMemory, known.RanOnCpu}


def test_a_clean_run_has_no_caveats() -> None:
    assert caveats(sample.all_measured_48()) == ()
    assert caveats(cards.with_card([cards.measured()])) == ()


def test_other_kernels_than_asked_for_are_a_caveat() -> None:
    ran = sample.measured(sample.requested(attention=Attention.FLASH_ATTENTION_2))
    record = sample.record([sample.with_kernels(ran, attention="sdpa")])
    assert some("cells_ran_other_kernels", 1, 1) in caveats(record)


def test_stopping_early_is_a_caveat() -> None:
    ran = sample.measured(sample.requested())
    short = ran.repeats[0].model_copy(update={"generated_tokens": 7, "stop_reason": "eos"})
    record = sample.record([ran.model_copy(update={"repeats": (short,)})])
    assert some("cells_stopped_early", 1, 1) in caveats(record)


# --- of the state of the card -----------------------------------------------------------------------------


def state(**changed: object) -> DeviceState:
    return cards.STATE.model_copy(update=changed)


@pytest.mark.parametrize(
    ("found", "caveat"),
    [
        (
            state(other_processes=1, used_by_others_bytes=1_500_000_000),
            known.OtherPrograms(count=1, used_bytes=1_500_000_000),
        ),
        (
            state(other_processes=3, used_by_others_bytes=None),
            known.OtherPrograms(count=3, used_bytes=None),
        ),
        (state(display=True), known.DisplayAttached()),
        (state(power_limit_w=120.0), known.PowerLimited(limit_w=120.0, default_w=200.0)),
    ],
)
def test_the_state_of_the_card_is_a_caveat(found: DeviceState, caveat: RecordCaveat) -> None:
    assert caveats(cards.with_card([cards.measured()], state=found)) == (caveat,)


def test_what_is_not_known_is_no_caveat() -> None:
    unknown = state(other_processes=None, display=None, power_limit_w=None, power_limit_default_w=None)
    assert caveats(cards.with_card([cards.measured()], state=unknown)) == ()


def seen(**changed: object) -> CellResult:
    cell = cards.measured()
    assert cell.device_memory is not None
    return cell.model_copy(update={"device_memory": cell.device_memory.model_copy(update=changed)})


@pytest.mark.parametrize(
    ("cell", "caveat"),
    [
        (seen(back_at_baseline=False, residue_bytes=90_000_000), some("cells_left_memory", 1, 2)),
        (seen(driver_error="GPU is lost"), some("cells_lost_driver", 1, 2)),
        (
            seen(sampler=Sampled(period_s=0.02, samples=50, largest_gap_s=0.2)),
            known.SampledWithGaps(count=1, cells=2, periods=5),
        ),
    ],
)
def test_how_a_cell_was_watched_is_a_caveat(cell: CellResult, caveat: RecordCaveat) -> None:
    assert caveat in caveats(cards.with_card([cell, cards.measured(30.0)]))


def test_memory_that_ran_out_beside_another_program_is_a_caveat() -> None:
    contended = seen(contended=True).device_memory
    ran_out = sample.out_of_memory(sample.requested()).model_copy(update={"device_memory": contended})
    assert some("cells_ran_out_beside_another", 1, 1) in caveats(cards.with_card([ran_out]))


def test_cells_that_computed_elsewhere_are_a_caveat() -> None:
    ran = cards.measured()
    assert ran.effective is not None
    moved = ran.model_copy(update={"effective": ran.effective.model_copy(update={"device": "cpu"})})
    elsewhere = known.ComputedElsewhere(device_kind="cpu", device="NVIDIA GeForce RTX 4070")
    assert elsewhere in caveats(cards.with_card([moved]))


# --- of a prediction --------------------------------------------------------------------------------------


def with_model(record: Record, **changes: object) -> Record:
    return record.model_copy(
        update={"model": ModelInfo.model_validate(record.model.model_dump() | changes), "cells": record.cells}
    )


def test_a_plan_for_a_card_says_what_it_rests_on() -> None:
    assert caveats(derived.derived_record()) == (
        known.NothingRan(),
        known.PredictedForSystem(os="linux", torch="2.13", kernels=(), torch_here=None),
        known.ReservedUnconfirmed(allocator="torch 2.13.0 CUDACachingAllocator"),
        known.RangesOfOtherMachines(with_desktop=True),
        known.SpeedsAreCeilings(),
        some("cells_too_close_to_call", 4, 24),
    )


def test_a_plan_names_its_kernels_and_that_another_torch_is_installed() -> None:
    wanted = [sample.requested(attention=attention) for attention in (Attention.SDPA, Attention.EAGER)]
    kernels: tuple[AttentionKernel, ...] = ("math", "eager")
    cells = [
        cell.model_copy(
            update={"envelope": derived.envelope(one).model_copy(update={"attention_kernel": kernel})}
        )
        for one, kernel in zip(wanted, kernels, strict=True)
        for cell in (derived.predicted(one),)
    ]
    planned = PlannedSystem(os="windows", torch="2.14")
    found = caveats(derived.derived_record([*cells, *cells[:1]], headroom="desktop", system=planned))
    assert found[1] == known.PredictedForSystem(
        os="windows", torch="2.14", kernels=kernels, torch_here="2.13"
    )


@pytest.mark.parametrize(
    ("os", "kernel", "is_expected"),
    [
        ("windows", "memory_efficient", True),
        ("windows", "math", False),
        ("linux", "memory_efficient", False),
        ("wsl2", "memory_efficient", False),
    ],
)
def test_the_memory_efficient_kernel_of_windows_is_expected(
    os: OperatingSystem, kernel: AttentionKernel, is_expected: bool
) -> None:
    cell = derived.predicted(sample.requested())
    assert cell.envelope is not None
    changed = cell.envelope.model_copy(update={"attention_kernel": kernel})
    system = PlannedSystem(os=os, torch="2.14")
    record = derived.derived_record([cell.model_copy(update={"envelope": changed})], system=system)
    assert (known.KernelExpected(kernel="memory_efficient") in caveats(record)) is is_expected


def test_a_plan_without_a_desktop_does_not_speak_of_one() -> None:
    found = caveats(derived.derived_record(headroom="headless"))
    assert known.RangesOfOtherMachines(with_desktop=False) in found


def test_a_plan_for_a_cpu_did_not_run_there() -> None:
    found = caveats(derived.derived_record(device=sample.CPU))
    assert found == (known.NothingRan(), known.PredictedForCpu())


def test_random_weights_say_no_text_where_nothing_came_out() -> None:
    record = with_model(derived.derived_record(), weight_mode=WeightMode.RANDOM, repo=None)
    assert known.RandomWeights not in kinds(record)


@pytest.mark.parametrize(
    ("changes", "caveat"),
    [
        ({"weight_mode": WeightMode.LOCAL, "repo": None}, known.LocalWeights(shapes_only=True)),
        ({"repo": "somebody/else"}, known.OtherRepository(repo="somebody/else", shapes_only=True)),
        ({"weight_mode": WeightMode.TINY, "repo": None}, known.TinyModel()),
    ],
)
def test_whose_shapes_these_are(changes: dict[str, object], caveat: RecordCaveat) -> None:
    assert caveat in caveats(with_model(derived.derived_record(), **changes))


@pytest.mark.parametrize("predicted", [True, False])
def test_a_card_that_is_not_in_the_catalog_lacks_its_figures(predicted: bool) -> None:
    unlisted = derived.RTX_4070.model_copy(update={"catalogued": False})
    ran = cards.with_card([cards.measured()], device=unlisted)
    record = derived.derived_record(device=unlisted) if predicted else ran
    assert known.NotInCatalog(predicted=predicted) in caveats(record)


def comparison(record_id: str, low: float, high: float, cells: int) -> Comparison:
    return Comparison(
        record_id=record_id,
        content_hash="sha256:" + "0" * 64,
        metric="reserved_peak_bytes",
        cells=cells,
        inside=cells,
        ratio_median=1.0,
        ratio_low=low,
        ratio_high=high,
    )


def test_once_measured_the_allocator_is_no_longer_unconfirmed() -> None:
    compared = (comparison("a" * 12, 0.97, 1.0, 20), comparison("b" * 12, 0.98, 1.02, 4))
    record = derived.derived_record(compared=compared)
    measured = known.ReservedMeasured(ratio_low=0.97, ratio_high=1.02, cells=24, records=2)
    assert measured in caveats(record)
    assert known.ReservedUnconfirmed not in kinds(record)
