"""Shapes out of a configuration."""

import json

import pytest

from bench import shipped
from bench.arithmetic.shapes import shapes_of
from bench.errors import UsageError
from bench.moss_audio import MossAudioConfig, released_models


@pytest.mark.parametrize("name", released_models())
def test_the_file_and_the_configuration_object_give_the_same_shapes(name: str) -> None:
    values = json.loads(shipped.data("models", f"{name}.json").read_text(encoding="utf-8"))
    assert shapes_of(values) == shapes_of(MossAudioConfig(**values).to_dict())


def test_what_no_file_states_has_the_released_value() -> None:
    values = json.loads(shipped.data("models", "MOSS-Audio-8B-Instruct.json").read_text(encoding="utf-8"))
    audio = shapes_of(values).audio_config
    assert (audio.chunk_frames, audio.conv_chunksize) == (400, 64)


@pytest.mark.parametrize(("most", "injected"), [(0, 0), (2, 2), (9, 3), (None, 3)])
def test_mergers_are_of_the_first_taps(most: int | None, injected: int) -> None:
    values = json.loads(shipped.data("models", "MOSS-Audio-4B-Instruct.json").read_text(encoding="utf-8"))
    assert shapes_of(values | {"deepstack_num_inject_layers": most}).injected_layers == injected


@pytest.mark.parametrize("wrong", [{}, {"language_config": {"vocab_size": -1}}, {"language_config": "x"}])
def test_another_configuration_is_refused_in_one_line(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="not a configuration of MOSS-Audio: language_config") as caught:
        shapes_of(wrong)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("part", "key", "value", "told"),
    [
        ("language_config", "num_hidden_layers", 10**9, "less than or equal to 1000"),
        ("language_config", "num_hidden_layers", "36", "valid integer"),
        ("language_config", "num_hidden_layers", True, "valid integer"),
        ("language_config", "vocab_size", 2**20 + 1, "less than or equal to 1048576"),
        ("language_config", "hidden_size", 2560.0, "valid integer"),
        ("language_config", "num_attention_heads", 31, "a multiple of num_key_value_heads"),
        ("audio_config", "encoder_layers", 1001, "less than or equal to 1000"),
        ("audio_config", "d_model", 1281, "a multiple of encoder_attention_heads"),
    ],
)
def test_numbers_that_no_model_has_are_refused_by_name(part: str, key: str, value: object, told: str) -> None:
    values = json.loads(shipped.data("models", "MOSS-Audio-4B-Instruct.json").read_text(encoding="utf-8"))
    with pytest.raises(UsageError, match=rf"{part}\.{key}: .*{told}"):
        shapes_of(values | {part: values[part] | {key: value}})
