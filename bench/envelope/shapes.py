"""The shapes of the architecture as plain numbers, named as in the checkpoint's `config.json`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import PositiveInt, TypeAdapter, ValidationError

from bench.errors import UsageError


@dataclass(frozen=True, slots=True)
class AudioShapes:
    """`audio_config`. The defaults are those of all four released models.

    `n_window` (half a chunk, in mel frames) and `conv_chunksize` (chunks at once) are not in their files.
    """

    d_model: PositiveInt = 1280
    num_mel_bins: PositiveInt = 128
    encoder_layers: PositiveInt = 32
    encoder_attention_heads: PositiveInt = 20
    encoder_ffn_dim: PositiveInt = 5120
    downsample_hidden_size: PositiveInt = 480
    deepstack_encoder_layer_indexes: tuple[int, ...] = (8, 16, 24)
    n_window: PositiveInt = 200
    conv_chunksize: PositiveInt = 64

    @property
    def chunk_frames(self) -> int:
        """Mel frames per chunk: 400, that is 4 s."""
        return 2 * self.n_window


@dataclass(frozen=True, slots=True)
class LanguageShapes:
    """`language_config`: a Qwen3 without attention bias, its `lm_head` a tensor of its own."""

    vocab_size: PositiveInt
    hidden_size: PositiveInt
    intermediate_size: PositiveInt
    num_hidden_layers: PositiveInt
    num_attention_heads: PositiveInt
    num_key_value_heads: PositiveInt
    head_dim: PositiveInt


@dataclass(frozen=True, slots=True)
class Shapes:
    """The whole model."""

    language_config: LanguageShapes
    adapter_hidden_size: PositiveInt = 8192
    audio_config: AudioShapes = field(default_factory=AudioShapes)


_SHAPES: Final = TypeAdapter(Shapes)


def shapes_of(config: Mapping[str, object]) -> Shapes:
    """The shapes in a parsed `config.json`; its other keys are left alone.

    Raises:
        UsageError: a key is missing, or is no positive whole number.
    """
    try:
        return _SHAPES.validate_python(dict(config))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(
            f"This is no configuration of MOSS-Audio: {where}: {first['msg']}",
            hint="Use the config.json of a released model",
        ) from error
