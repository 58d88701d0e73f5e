"""Configurations: read, refused, written back, and as large as the released models are."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.moss_audio import AudioEncoderConfig, MossAudioConfig, released_config, released_models
from bench.moss_audio.configuration import ConfigError, audio_token_count
from tests.moss_audio.small import model_config

GOLDEN = Path(__file__).parents[1] / "data" / "golden" / "tiny-a"


def rope_theta(config: MossAudioConfig) -> float:
    """Where it is depends on the version of transformers."""
    text: Any = config.language_config
    parameters = getattr(text, "rope_parameters", None)
    return float(parameters["rope_theta"] if parameters else text.rope_theta)


@given(frames=st.integers(1, 200_000))
def test_a_clip_has_one_token_for_every_eight_frames(frames: int) -> None:
    assert audio_token_count(frames) == -(-frames // 8)


def test_the_four_released_models_are_known_without_a_network() -> None:
    assert released_models() == (
        "MOSS-Audio-4B-Instruct",
        "MOSS-Audio-4B-Thinking",
        "MOSS-Audio-8B-Instruct",
        "MOSS-Audio-8B-Thinking",
    )


@pytest.mark.parametrize(("name", "hidden", "inner"), [("4B", 2560, 9728), ("8B", 4096, 12288)])
def test_released_configurations_have_the_published_values(name: str, hidden: int, inner: int) -> None:
    config = released_config(f"MOSS-Audio-{name}-Instruct")
    text = config.language_config
    assert (text.hidden_size, text.intermediate_size) == (hidden, inner)
    assert (text.num_hidden_layers, text.num_attention_heads, text.num_key_value_heads) == (36, 32, 8)
    assert rope_theta(config) == 1e6
    assert config.audio_config.chunk_frames == 400
    assert config.audio_config.conv_chunksize == 64
    assert config.audio_config.deepstack_encoder_layer_indexes == (8, 16, 24)
    assert config.eos_token_id == 151645


def test_without_arguments_it_is_the_4b() -> None:
    plain, released = MossAudioConfig(), released_config("MOSS-Audio-4B-Instruct")
    assert plain.audio_config.encoder_layers == released.audio_config.encoder_layers
    assert plain.language_config.hidden_size == released.language_config.hidden_size


def test_an_unknown_released_model_is_refused_with_the_list() -> None:
    with pytest.raises(ConfigError, match=r"'MOSS-Audio-5B'.*MOSS-Audio-4B-Instruct") as caught:
        released_config("MOSS-Audio-5B")
    assert isinstance(caught.value, UsageError)


def test_it_survives_being_written(tmp_path: Path) -> None:
    config = MossAudioConfig.from_pretrained(GOLDEN)
    config.save_pretrained(tmp_path)
    again = MossAudioConfig.from_pretrained(tmp_path)
    assert again.audio_config == config.audio_config
    assert again.language_config.to_dict() == config.language_config.to_dict()
    assert rope_theta(again) == 1e6
    written = json.loads((tmp_path / "config.json").read_text())
    assert written["model_type"] == "moss_audio"
    assert written["audio_config"]["encoder_attention_window_size"] == 100  # not used, not lost
    assert written["audio_config"]["deepstack_encoder_layer_indexes"] == [1, 2, 4]


def test_both_ways_to_write_the_rotary_base_are_read() -> None:
    text = {"num_hidden_layers": 3, "rope_parameters": {"rope_theta": 5e5, "rope_type": "default"}}
    assert rope_theta(MossAudioConfig(language_config=text)) == 5e5
    assert rope_theta(MossAudioConfig(language_config={"num_hidden_layers": 3, "rope_theta": 5e5})) == 5e5


def test_attention_reaches_the_language_model_and_not_the_encoder() -> None:
    config = MossAudioConfig.from_pretrained(GOLDEN, attn_implementation="eager")
    assert config.language_config._attn_implementation == "eager"
    assert config.encoder_attn_implementation == "eager"
    config = MossAudioConfig.from_pretrained(GOLDEN, attn_implementation="sdpa")
    assert config.language_config._attn_implementation == "sdpa"
    assert config.encoder_attn_implementation == "eager"


def test_cache_sizes_come_from_the_language_model() -> None:
    config = model_config()
    assert config.get_text_config(decoder=True) is config.language_config


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"downsample_rate": 4}, "downsample_rate"),
        ({"output_dim": 640}, "output_dim"),
        ({"encoder_attention_heads": 7}, "heads"),
        ({"n_window": 201}, "n_window"),
        ({"conv_chunksize": 0}, "conv_chunksize"),
        ({"deepstack_encoder_layer_indexes": [8, 16, 32]}, "deepstack_encoder_layer_indexes"),
        ({"deepstack_encoder_layer_indexes": [16, 8, 24]}, "deepstack_encoder_layer_indexes"),
    ],
)
def test_shapes_that_the_architecture_does_not_have_are_refused(
    change: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        AudioEncoderConfig.from_dict(change)


@pytest.mark.parametrize(("most", "injected"), [(0, 0), (2, 2), (3, 3), (9, 3), (None, 3)])
def test_the_first_taps_are_injected(most: int | None, injected: int) -> None:
    assert MossAudioConfig(deepstack_num_inject_layers=most).injected_layers == injected


@pytest.mark.parametrize("most", [-1, "3", True, 2.0])
def test_a_number_of_injections_that_is_none_is_refused(most: Any) -> None:
    with pytest.raises(ConfigError, match="give a whole number from 0, or null"):
        MossAudioConfig(deepstack_num_inject_layers=most)


def test_what_no_model_can_be_built_of_is_refused() -> None:
    with pytest.raises(ConfigError, match="2 layers"):
        MossAudioConfig(language_config={"num_hidden_layers": 2})
    with pytest.raises(ConfigError, match="tie"):
        MossAudioConfig(tie_word_embeddings=True)
    with pytest.raises(ConfigError, match="no attention called"):
        MossAudioConfig(encoder_attn_implementation="flash_attention_2")
