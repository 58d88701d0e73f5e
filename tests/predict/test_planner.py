"""A plan stands for a run: the same cells, the same prompt, and figures that agree with each other."""

from pathlib import Path

import pytest

from bench.predict.planner import plan_request
from bench.records.enums import Attention, Provenance
from bench.run.run_spec import RunOptions, make_plan, refuse_to_choose
from tests.predict.planned import derived_records

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
