"""The prompt and the tensors of a model that is not loaded."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import UsageError, WeightsError
from bench.moss_audio import MossAudioProcessor
from bench.predict.planner import plan_request
from bench.predict.traced_model import TracedModel, mel_frames
from bench.records.record import Predicted
from bench.run.run_spec import RunOptions
from tests.predict.planned import derived_records
from tests.run.small_model import checkpoint, configuration

pytestmark = pytest.mark.full_size  # most of it traces the 4B model


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
    assert _traced_model().prompt_tokens(asked) == made["input_ids"].shape[1]
    assert mel_frames(clip_s) == made["audio_features"].shape[-1]


@cache
def _traced_model() -> TracedModel:
    return TracedModel(
        plan_request(RunOptions(suite="quick", weights="random")).source, "bfloat16", lambda _: None
    )


def test_headers_of_another_model(tmp_path: Path) -> None:
    directory = checkpoint(tmp_path)
    config = (directory / "config.json").read_text(encoding="utf-8")
    (directory / "config.json").write_text(
        config.replace('"intermediate_size": 416', '"intermediate_size": 8')
    )
    with pytest.raises(WeightsError, match=r"do not fit the model: 12 of another shape"):
        derived_records(directory, "rtx-4070", clip_seconds=(4.0,))


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
