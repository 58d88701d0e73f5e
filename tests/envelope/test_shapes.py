"""Shapes out of a configuration."""

import json

import pytest

from bench import shipped
from bench.envelope.shapes import shapes_of
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


@pytest.mark.parametrize("wrong", [{}, {"language_config": {"vocab_size": -1}}, {"language_config": "x"}])
def test_another_configuration_is_refused_in_one_line(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="no configuration of MOSS-Audio: language_config") as caught:
        shapes_of(wrong)
    assert "\n" not in str(caught.value)
