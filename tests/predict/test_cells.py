"""Predictions of cells, shared between cards and attentions."""

from pathlib import Path

import pytest

from bench.predict.cells import Predictions
from bench.predict.planned_model import PlannedModel
from bench.predict.planner import plan_request
from bench.predict.prediction import OnCard, predict
from bench.predict.setting import mel_frames, setting_of
from bench.predict.target import targets
from bench.predict.traced_model import TracedModel
from bench.records.base import Interval
from bench.records.cell import Predicted, Unsupported
from bench.records.enums import Attention, Phase, Profile
from bench.records.prediction import Envelope, PlannedSystem
from bench.run.run_spec import RunOptions
from tests.predict.planned import LINUX, SMALL, derived_records

pytestmark = pytest.mark.full_size  # it traces models


def test_memory_of_another_card_is_what_predicting_for_it_gives(model: Path) -> None:
    """Predictions are shared between cards; nothing of the first card may be left in the second's."""
    planned = plan_request(RunOptions(**{**SMALL, "model": str(model)}))  # type: ignore[arg-type]
    model_of_plan = PlannedModel(planned.source, planned.suite.dtype)
    traced = TracedModel(model_of_plan, lambda _: None)
    predictions = Predictions(model_of_plan, [8, 32])
    for name in ("rtx-4070", "rtx-4090", "rtx-5090", "rtx-5060-ti-16gb"):
        (target,) = targets([name], LINUX)
        asked = planned.cells[-1].requested
        assert target.card is not None
        alone = predict(
            traced.trace(
                setting_of(asked, target),
                mel_frames(asked.clip_seconds),
                model_of_plan.prompt_tokens(asked),
            ),
            traced.memory(asked.profile),
            OnCard(target.card),
            mel_frames=mel_frames(asked.clip_seconds),
            logits_positions="all",
            max_tokens=[8, 32],
        )
        found = predictions.envelopes(asked, target)
        assert {envelope.attention_kernel for envelope in found.values()} == {"flash"}
        shared = [envelope.model_copy(update={"attention_kernel": None}) for envelope in found.values()]
        assert shared == [envelope.model_copy(update={"ceiling": None}) for envelope in alone.values()]


def test_memory_follows_the_kernel_of_the_system(model: Path) -> None:
    """On Windows math stores what the other kernels do not, and lean runs without it."""

    def envelope(system: PlannedSystem, profile: Profile) -> Envelope:
        (record,) = derived_records(
            model,
            "rtx-4070",
            system=system,
            profile=profile,
            attention=(Attention.SDPA,),
            clip_seconds=(60.0,),
            max_tokens=(8,),
        )
        found = record.cells[0].envelope
        assert found is not None
        return found

    windows = PlannedSystem(os="windows", torch="2.13")
    flash, math = (envelope(system, Profile.FAITHFUL) for system in (LINUX, windows))
    lean_flash, lean = (envelope(system, Profile.LEAN) for system in (LINUX, windows))
    kernels = [found.attention_kernel for found in (flash, math, lean_flash, lean)]
    assert kernels == ["flash", "math", "flash", "memory_efficient"]
    assert flash.phases[Phase.PREFILL].activations_bytes < math.phases[Phase.PREFILL].activations_bytes
    assert lean.phases[Phase.PREFILL].activations_bytes < math.phases[Phase.PREFILL].activations_bytes


def test_what_a_card_cannot_run_and_what_only_this_machine_lacks(model: Path) -> None:
    both = (Attention.SDPA, Attention.FLASH_ATTENTION_2)
    turing, ada = derived_records(model, "rtx-2080-ti", "rtx-4070", attention=both)
    assert {type(cell.outcome) for cell in turing.cells} == {Unsupported}
    # flash-attn is not installed here, and need not be: the card is elsewhere.
    assert {type(cell.outcome) for cell in ada.cells} == {Predicted}
    per_attention = {
        attention: [cell.envelope for cell in ada.cells if cell.requested.attention is attention]
        for attention in both
    }
    assert per_attention[both[0]] == per_attention[both[1]]


def test_lean_needs_less_and_leaves_the_embeddings_on_the_host(model: Path) -> None:
    faithful, lean = (
        derived_records(model, "rtx-4070", profile=profile)[0].cells[-1].envelope
        for profile in (Profile.FAITHFUL, Profile.LEAN)
    )
    assert faithful is not None
    assert lean is not None
    assert lean.allocated_peak_bytes < faithful.allocated_peak_bytes
    assert faithful.weights_bytes - lean.weights_bytes == 264 * 160 * 2


def test_intervals_are_intervals(model: Path) -> None:
    (record,) = derived_records(model, "rtx-4070")
    for cell in record.cells:
        assert cell.envelope is not None
        for interval in (cell.envelope.reserved_peak_bytes, cell.envelope.device_peak_bytes):
            assert isinstance(interval, Interval)
            assert cell.envelope.allocated_peak_bytes <= interval.low <= interval.high
