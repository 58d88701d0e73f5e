"""A plan stands for a run: the same cells, the same prompt, and figures that agree with each other."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import UsageError, WeightsError
from bench.hardware.catalog import Card, cards
from bench.judge.prediction import budgets_of, cell_fit
from bench.moss_audio import MossAudioProcessor
from bench.predict.cells import Predictions
from bench.predict.planner import Headroom, Planner, plan_request, record_path
from bench.predict.prediction import OnCard, predict
from bench.predict.target import Target, every_card, targets
from bench.predict.traced_model import TracedModel, mel_frames
from bench.records.base import Interval
from bench.records.enums import Attention, Fit, Profile, Provenance
from bench.records.record import Predicted, Record, Unsupported
from bench.run.run_spec import RunOptions, make_plan, refuse_to_choose
from bench.store.record_files import measured_records, render, seal, write_record
from bench.units import MIB
from tests.run.small_model import checkpoint, configuration
from tests.samples.predictions import derived_record

pytestmark = pytest.mark.full_size  # most of it traces the 4B model

SMALL = {"suite": "quick", "clip_seconds": (4.0, 20.0, 60.0), "max_tokens": (8, 32)}


def derive(model: Path, *names: str, headroom: Headroom | None = None, **wished: object) -> list[Record]:
    wishes = RunOptions(**{**SMALL, "model": str(model), **wished})  # type: ignore[arg-type]
    planner = Planner(plan_request(wishes), headroom)
    return [planner.record(target) for target in targets(names)]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return configuration(tmp_path)


def test_settings_of_this_shell_are_no_part_of_a_prediction_for_a_card(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTORCH_ALLOC_CONF", "expandable_segments:True")
    (record,) = derive(model, "rtx-4070", clip_seconds=(4.0,), max_tokens=(8,))
    assert record.environment.variables == {}


@pytest.mark.parametrize("weights", ["hub", "random"])
def test_the_cells_are_those_of_a_run(weights: str) -> None:
    wishes = RunOptions(suite="standard", weights=weights)  # type: ignore[arg-type]
    run = make_plan(RunOptions(suite="standard", weights=weights, device="cpu"), refuse_to_choose)  # type: ignore[arg-type]
    planned = plan_request(wishes)
    assert [cell.cell_id for cell in planned.cells] == [cell.cell_id for cell in run.cells]
    assert planned.suite_info == run.suite_info


@settings(max_examples=15, deadline=None)
@given(clip_s=st.floats(0.2, 60), time_markers=st.booleans())
def test_a_prompt_is_as_long_as_the_processor_makes_it(clip_s: float, time_markers: bool) -> None:
    planned = plan_request(RunOptions(suite="quick", weights="random"))
    asked = planned.cells[0].requested.model_copy(
        update={"clip_seconds": clip_s, "time_markers": time_markers}
    )
    made = MossAudioProcessor.without_tokenizer(enable_time_marker=time_markers)(
        asked.prompt, np.ones(round(clip_s * 16_000), dtype=np.float32)
    )
    assert _subject().prompt_tokens(asked) == made["input_ids"].shape[1]
    assert mel_frames(clip_s) == made["audio_features"].shape[-1]


@cache
def _subject() -> TracedModel:
    return TracedModel(
        plan_request(RunOptions(suite="quick", weights="random")).source, "bfloat16", lambda _: None
    )


def test_a_record_says_how_it_came_about(model: Path) -> None:
    card, cpu = derive(model, "rtx-4070", "cpu", attention=(Attention.SDPA,))
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


def test_memory_of_another_card_is_what_predicting_for_it_gives(model: Path) -> None:
    """Predictions are shared between cards; nothing of the first card may be left in the second's."""
    planned = plan_request(RunOptions(**{**SMALL, "model": str(model)}))  # type: ignore[arg-type]
    subject = TracedModel(planned.source, planned.suite.dtype, lambda _: None)
    predictions = Predictions(subject, [8, 32])
    for name in ("rtx-4070", "rtx-4090", "rtx-5090", "rtx-5060-ti-16gb"):
        (target,) = targets([name])
        asked = planned.cells[-1].requested
        assert target.card is not None
        alone = predict(
            subject.trace(asked, "cuda"),
            subject.memory(asked, "cuda"),
            OnCard(target.card),
            mel_frames=mel_frames(asked.clip_seconds),
            logits_positions="all",
            max_tokens=[8, 32],
        )
        assert predictions.envelopes(asked, target) == alone


def test_what_a_card_cannot_run_and_what_only_this_machine_lacks(model: Path) -> None:
    both = (Attention.SDPA, Attention.FLASH_ATTENTION_2)
    turing, ada = derive(model, "rtx-2080-ti", "rtx-4070", attention=both)
    assert {type(cell.outcome) for cell in turing.cells} == {Unsupported}
    # flash-attn is not installed here, and need not be: the card is elsewhere.
    assert {type(cell.outcome) for cell in ada.cells} == {Predicted}
    per_attention = {
        attention: [cell.envelope for cell in ada.cells if cell.requested.attention is attention]
        for attention in both
    }
    assert per_attention[both[0]] == per_attention[both[1]]


def test_every_length_of_the_frontier_keeps_its_word(model: Path) -> None:
    """A card whose memory ends within the sweep: each clip that is named is judged as the frontier says."""
    planned = plan_request(RunOptions(**{**SMALL, "model": str(model)}))  # type: ignore[arg-type]
    planner = Planner(planned)
    (known,) = targets(["rtx-4070"])
    envelope = planner.record(known).cells[-1].envelope
    assert envelope is not None
    assert envelope.device_peak_bytes is not None
    target = _card_of(known, round(envelope.device_peak_bytes.high) + 614 * MIB + 64 * MIB)
    record = planner.record(target)
    assert record.derivation is not None
    line = record.derivation.longest_clips[0]
    assert line.headless_fits_s is not None
    assert line.headless_fits_s > 60
    assert line.desktop_fits_s is None
    for length, expected in ((line.headless_fits_s, Fit.FITS), (line.headless_misfit_s, Fit.DOES_NOT_FIT)):
        if length is not None:
            wishes = RunOptions(**{**SMALL, "model": str(model), "clip_seconds": (length,)})  # type: ignore[arg-type]
            alone = Planner(plan_request(wishes)).record(target)
            assert cell_fit(alone.cells[0], budgets_of(alone)).headless is expected


def _card_of(like: Target, memory_total_bytes: int) -> Target:
    assert like.card is not None
    card = Card("small", "Small", like.card.compute_capability, memory_total_bytes)
    return Target(like.info.model_copy(update={"memory_total_bytes": memory_total_bytes}), card)


@pytest.mark.parametrize("headroom", ["headless", "desktop"])
def test_only_the_room_that_was_asked_for_is_told(model: Path, headroom: Headroom) -> None:
    (record,) = derive(model, "rtx-4070", headroom=headroom)
    assert record.derivation is not None
    (line, *_) = record.derivation.longest_clips
    asked = {"headless": line.headless_fits_s, "desktop": line.desktop_fits_s}
    assert [room for room, length in asked.items() if length is not None] == [headroom]


def test_one_clip_length_asks_for_no_frontier(model: Path) -> None:
    (record,) = derive(model, "rtx-4070", clip_seconds=(4.0,))
    assert record.derivation is not None
    assert record.derivation.longest_clips == ()


def test_lean_needs_less_and_leaves_the_embeddings_on_the_host(model: Path) -> None:
    faithful, lean = (
        derive(model, "rtx-4070", profile=profile)[0].cells[-1].envelope
        for profile in (Profile.FAITHFUL, Profile.LEAN)
    )
    assert faithful is not None
    assert lean is not None
    assert lean.allocated_peak_bytes < faithful.allocated_peak_bytes
    assert faithful.weights_bytes - lean.weights_bytes == 264 * 160 * 2


def test_headers_are_taken_where_weights_are(tmp_path: Path) -> None:
    directory = checkpoint(tmp_path)
    (record,) = derive(directory, "rtx-4070", clip_seconds=(4.0,))
    assert record.derivation is not None
    assert record.derivation.weights_source == "safetensors headers"


def test_headers_of_another_model(tmp_path: Path) -> None:
    directory = checkpoint(tmp_path)
    config = (directory / "config.json").read_text(encoding="utf-8")
    (directory / "config.json").write_text(
        config.replace('"intermediate_size": 416', '"intermediate_size": 8')
    )
    with pytest.raises(WeightsError, match=r"do not fit the model: 12 of another shape"):
        derive(directory, "rtx-4070", clip_seconds=(4.0,))


def test_a_prompt_of_ones_own_needs_a_tokenizer(tmp_path: Path) -> None:
    suite = Path(plan_request.__code__.co_filename).parents[2] / "suites" / "quick.toml"
    mine = tmp_path / "mine.toml"
    text = suite.read_text(encoding="utf-8")
    mine.write_text(text.replace("Describe this audio.", "What is that?"), encoding="utf-8")
    with pytest.raises(UsageError, match="only the default prompt can be used"):
        derive(configuration(tmp_path), "rtx-4070", suite=str(mine), clip_seconds=(4.0,))
    (record,) = derive(checkpoint(tmp_path / "whole"), "rtx-4070", suite=str(mine), clip_seconds=(4.0,))
    assert isinstance(record.cells[0].outcome, Predicted)


def test_every_card_of_known_memory_comes_from_little_to_much() -> None:
    known, unknown = every_card()
    assert len(known) + len(unknown) == len(cards())
    totals = [target.info.memory_total_bytes or 0 for target in known]
    assert totals == sorted(totals)
    assert [card.slug for card in unknown] == ["gb10"]


def test_measured_records_are_found_and_broken_ones_are_named(tmp_path: Path) -> None:
    derived = derived_record()
    folder = record_path(derived, tmp_path).parent
    assert measured_records(tmp_path, "nothing", "here") == ((), ())
    measured = derived.model_copy(update={"derivation": None, "provenance": Provenance.MEASURED})
    write_record(derived, record_path(derived, tmp_path))
    write_record(seal(measured.model_dump(mode="json")), folder / "measured.json")
    (folder / "broken.json").write_text(render(derived)[:-9], encoding="utf-8")
    found, notes = measured_records(tmp_path, derived.model.name, derived.device.slug)
    assert [record.provenance for record in found] == [Provenance.MEASURED]
    assert len(notes) == 1
    assert "broken.json" in notes[0]


def test_intervals_are_intervals(model: Path) -> None:
    (record,) = derive(model, "rtx-4070")
    for cell in record.cells:
        assert cell.envelope is not None
        for interval in (cell.envelope.reserved_peak_bytes, cell.envelope.device_peak_bytes):
            assert isinstance(interval, Interval)
            assert cell.envelope.allocated_peak_bytes <= interval.low <= interval.high
