"""The numbers that the released code produced, on a tiny checkpoint and three clips."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from bench.moss_audio import MossAudioModel, MossAudioProcessor
from bench.moss_audio.attention import UNGROUPED

GOLDEN = Path(__file__).parents[1] / "data" / "golden" / "tiny-a"
CLIPS = sorted(file.name for file in GOLDEN.glob("*.npz"))
TOLERANCE = 1e-4

Golden = dict[str, Any]


def load(directory: Path, **options: str) -> tuple[MossAudioModel, MossAudioProcessor]:
    model = MossAudioModel.from_pretrained(directory, dtype=torch.float32, **options)
    return model, MossAudioProcessor.from_pretrained(directory)


@pytest.fixture(
    scope="module", params=["as shipped", "saved and loaded again", "encoder sdpa", "eager", UNGROUPED]
)
def loaded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[MossAudioModel, MossAudioProcessor]]:
    match request.param:
        case "as shipped":
            yield load(GOLDEN, attn_implementation="sdpa")
        case "encoder sdpa":
            yield load(GOLDEN, attn_implementation="sdpa", encoder_attn_implementation="sdpa")
        case "eager" | "sdpa_ungrouped" as attention:
            yield load(GOLDEN, attn_implementation=attention)
        case _:
            copy = tmp_path_factory.mktemp("saved")
            for part in load(GOLDEN):
                part.save_pretrained(copy)
            yield load(copy)


@pytest.fixture(params=CLIPS)
def golden(request: pytest.FixtureRequest) -> Golden:
    with np.load(GOLDEN / request.param) as file:
        return {key: torch.from_numpy(value) if value.ndim else value.item() for key, value in file.items()}


def largest_error(found: Tensor, expected: Tensor) -> float:
    assert found.shape == expected.shape
    return float((found - expected).abs().max())


def test_three_clips_are_here() -> None:
    assert len(CLIPS) == 3


def test_tensors_have_the_names_of_the_released_checkpoint() -> None:
    with safe_open(GOLDEN / "model.safetensors", framework="pt") as file:
        assert set(MossAudioModel.from_pretrained(GOLDEN).state_dict()) == set(file.keys())


def test_inputs_are_those_of_the_released_processor(
    loaded: tuple[MossAudioModel, MossAudioProcessor], golden: Golden
) -> None:
    _, processor = loaded
    inputs = processor(text=golden["prompt"], audio=golden["waveform"].numpy())
    assert torch.equal(inputs["input_ids"], golden["input_ids"])
    assert inputs["audio_features"].dtype == torch.float32
    assert largest_error(inputs["audio_features"], golden["mel"]) < 1e-5


def test_hidden_states_and_logits_are_those_of_the_released_model(
    loaded: tuple[MossAudioModel, MossAudioProcessor], golden: Golden
) -> None:
    model, processor = loaded
    inputs = processor(text=golden["prompt"], audio=golden["waveform"].numpy())
    with torch.no_grad():
        encoded = model.encode_audio(**inputs)
        logits = model(**inputs).logits
    for key in ("encoder_last_hidden", "deepstack", "audio_embeds"):
        assert largest_error(getattr(encoded, key), golden[key]) < TOLERANCE, key
    assert logits.shape[1] == inputs["input_ids"].shape[1]
    assert largest_error(logits[:, -64:], golden["logits"]) < TOLERANCE


def test_greedy_tokens_are_those_of_the_released_model(
    loaded: tuple[MossAudioModel, MossAudioProcessor], golden: Golden
) -> None:
    model, processor = loaded
    inputs = processor(text=golden["prompt"], audio=golden["waveform"].numpy())
    tokens = model.generate(**inputs, max_new_tokens=16, min_new_tokens=16, do_sample=False)
    assert torch.equal(tokens[:, inputs["input_ids"].shape[1] :], golden["generated"])
