"""The sizes of a model that is not loaded, and the lengths of its prompts."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.moss_audio import MossAudioProcessor
from bench.predict.planned_model import PlannedModel
from bench.predict.planner import plan_request
from bench.predict.setting import mel_frames
from bench.records.cell import Predicted
from bench.run.run_spec import RunOptions
from tests.predict.planned import derived_records
from tests.run.small_model import checkpoint, configuration


@settings(max_examples=15)
@given(clip_s=st.floats(0.2, 60), time_markers=st.booleans())
def test_a_prompt_is_as_long_as_the_processor_makes_it(clip_s: float, time_markers: bool) -> None:
    planned = plan_request(RunOptions(suite="quick", weights="random"))
    asked = planned.cells[0].requested.model_copy(
        update={"clip_seconds": clip_s, "time_markers": time_markers}
    )
    made = MossAudioProcessor.without_tokenizer(enable_time_marker=time_markers)(
        asked.prompt, np.ones(round(clip_s * 16_000), dtype=np.float32)
    )
    assert _model().prompt_tokens(asked) == made["input_ids"].shape[1]
    assert mel_frames(clip_s) == made["audio_features"].shape[-1]


@cache
def _model() -> PlannedModel:
    return PlannedModel(plan_request(RunOptions(suite="quick", weights="random")).source, "bfloat16")


@pytest.mark.parametrize(
    ("model", "weights_bytes"),
    [("MOSS-Audio-4B-Instruct", 10_445_641_472), ("MOSS-Audio-8B-Thinking", 18_104_926_976)],
)
def test_a_released_model_has_the_bytes_of_its_files(model: str, weights_bytes: int) -> None:
    planned = plan_request(RunOptions(model=model))
    assert PlannedModel(planned.source, "bfloat16").info.weights_bytes == weights_bytes


@pytest.mark.full_size  # it traces a model
def test_a_prompt_of_ones_own_needs_a_tokenizer(tmp_path: Path) -> None:
    suite = Path(plan_request.__code__.co_filename).parents[2] / "suites" / "quick.toml"
    mine = tmp_path / "mine.toml"
    text = suite.read_text(encoding="utf-8")
    mine.write_text(text.replace("Describe this audio.", "What is that?"), encoding="utf-8")
    with pytest.raises(UsageError, match="only the default prompt can be used"):
        derived_records(configuration(tmp_path), "rtx-4070", suite=str(mine), clip_seconds=(4.0,))
    (record,) = derived_records(
        checkpoint(tmp_path / "whole"), "rtx-4070", suite=str(mine), clip_seconds=(4.0,)
    )
    assert isinstance(record.cells[0].outcome, Predicted)
