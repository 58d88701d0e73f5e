"""A plan stands for a run: the same cells, the same prompt, and figures that agree with each other."""

from pathlib import Path

import pytest

from bench.predict.planner import Planner, plan_request
from bench.predict.target import targets
from bench.records.base import ByteInterval
from bench.records.enums import Attention, Provenance
from bench.records.record import Record
from bench.run.run_spec import RunOptions, make_plan, refuse_to_choose
from bench.units import MIB
from tests.predict.planned import LINUX, SMALL, derived_records
from tests.samples.cards import on_card, with_card, with_kernels
from tests.samples.records import measured as measured_sample

pytestmark = pytest.mark.full_size  # most of it traces the 4B model


def test_settings_of_this_shell_are_no_part_of_a_prediction_for_a_card(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTORCH_ALLOC_CONF", "expandable_segments:True")
    (record,) = derived_records(model, "rtx-4070", clip_seconds=(4.0,), max_tokens=(8,))
    assert record.environment.variables == {}


@pytest.mark.parametrize("weights", ["hub", "random"])
def test_the_cells_are_those_of_a_run(weights: str) -> None:
    options = RunOptions(suite="standard", weights=weights)  # type: ignore[arg-type]
    run = make_plan(RunOptions(suite="standard", weights=weights, device="cpu"), refuse_to_choose)  # type: ignore[arg-type]
    planned = plan_request(options)
    assert [cell.cell_id for cell in planned.cells] == [cell.cell_id for cell in run.cells]
    assert planned.suite_info == run.suite_info


def test_a_record_says_how_it_came_about(model: Path) -> None:
    card, cpu = derived_records(model, "rtx-4070", "cpu", attention=(Attention.SDPA,))
    assert card.provenance is cpu.provenance is Provenance.DERIVED
    assert (card.device.slug, card.device.driver, card.machine_key) == ("rtx-4070", None, None)
    assert card.model.weights_bytes == card.cells[0].envelope.weights_bytes  # type: ignore[union-attr]
    assert card.derivation is not None
    assert cpu.derivation is not None
    assert card.derivation.weights_source == "configuration"
    assert card.derivation.context is not None
    assert len(card.derivation.longest_clips) == 2
    assert (cpu.derivation.context, cpu.derivation.allocator, cpu.derivation.longest_clips) == (
        None,
        None,
        (),
    )
    assert all(cell.envelope and cell.envelope.device_peak_bytes is None for cell in cpu.cells)
    # What is predicted for the tensors of a CPU and of a card differs by their kernels only.
    assert {cell.cell_id for cell in card.cells} == {cell.cell_id for cell in cpu.cells}


def test_a_measured_record_calibrates_what_is_predicted_and_is_compared_with_what_was(model: Path) -> None:
    options = RunOptions(**{**SMALL, "model": str(model)})  # type: ignore[arg-type]
    planner = Planner(plan_request(options))
    (target,) = targets(["rtx-4070"], LINUX)
    before = planner.record(target)
    run = _ran(before, context_bytes=300 * MIB)
    after = planner.record(target, [run])
    assert before.derivation is not None
    assert after.derivation is not None
    terms = after.derivation
    assert terms.calibrated_by == (run.record_id,)
    assert terms.context is not None
    assert (terms.context.low_bytes, terms.context.high_bytes) == (300 * MIB, 300 * MIB)
    assert run.record_id in terms.context.evidence
    for old, new in zip(before.cells, after.cells, strict=True):
        if old.envelope is None:
            continue
        assert new.envelope is not None
        assert new.envelope.context_bytes == ByteInterval(low=300 * MIB, high=300 * MIB)
        assert old.envelope.device_peak_bytes is not None
        assert new.envelope.device_peak_bytes is not None
        assert new.envelope.device_peak_bytes.high < old.envelope.device_peak_bytes.high
    assert {one.metric for one in terms.compared} >= {"reserved_peak_bytes", "process_peak_bytes"}
    assert all(one.inside == one.cells for one in terms.compared if one.inside is not None)


def _ran(plan: Record, context_bytes: int) -> Record:
    """A record in which each predicted cell took what was predicted at least, and a context of this size."""
    cells = []
    for cell in plan.cells:
        if cell.envelope is None or cell.envelope.reserved_peak_bytes is None:
            continue
        attention = cell.requested.attention.value
        measured = on_card(with_kernels(measured_sample(cell.requested), attention))
        assert measured.summary is not None
        assert measured.device_memory is not None
        reserved = cell.envelope.reserved_peak_bytes.low
        figures = {"reserved_peak_bytes": reserved, "process_peak_bytes": reserved + context_bytes}
        memory = measured.device_memory.model_copy(update={"context_bytes": context_bytes})
        cells.append(
            measured.model_copy(
                update={"summary": measured.summary.model_copy(update=figures), "device_memory": memory}
            )
        )
    card = with_card(cells)
    return card.model_copy(update={"model": plan.model, "device": plan.device})
