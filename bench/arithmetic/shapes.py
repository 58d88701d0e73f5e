"""The shapes of the architecture as plain numbers, named as in the checkpoint's `config.json`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final

from pydantic import Field, TypeAdapter, ValidationError

from bench.errors import UsageError

MAX_SIZE: Final = 2**20
"""Widths, heads and vocabularies: far beyond every model, and little enough to be built without weights."""
MAX_LAYERS: Final = 1000

# Strict: "36" and true are no numbers, and transformers would stumble over them later.
Size = Annotated[int, Field(strict=True, ge=1, le=MAX_SIZE)]
Layers = Annotated[int, Field(strict=True, ge=1, le=MAX_LAYERS)]
_Injections = Annotated[int, Field(strict=True, ge=0)]
_Layer = Annotated[int, Field(strict=True, ge=0, lt=MAX_LAYERS)]


@dataclass(frozen=True, slots=True)
class AudioShapes:
    """`audio_config`. The defaults are those of all four released models.

    `n_window` (half a chunk, in mel frames) and `conv_chunksize` (chunks at once) are not in their files.
    """

    d_model: Size = 1280
    num_mel_bins: Size = 128
    encoder_layers: Layers = 32
    encoder_attention_heads: Size = 20
    encoder_ffn_dim: Size = 5120
    downsample_hidden_size: Size = 480
    deepstack_encoder_layer_indexes: tuple[_Layer, ...] = (8, 16, 24)
    n_window: Size = 200
    conv_chunksize: Size = 64

    @property
    def chunk_frames(self) -> int:
        """Mel frames per chunk: 400, that is 4 s."""
        return 2 * self.n_window


@dataclass(frozen=True, slots=True)
class LanguageShapes:
    """`language_config`: a Qwen3 without attention bias, its `lm_head` a tensor of its own."""

    vocab_size: Size
    hidden_size: Size
    intermediate_size: Size
    num_hidden_layers: Layers
    num_attention_heads: Size
    num_key_value_heads: Size
    head_dim: Size


@dataclass(frozen=True, slots=True)
class Shapes:
    """Shapes of the whole model."""

    language_config: LanguageShapes
    adapter_hidden_size: Size = 8192
    audio_config: AudioShapes = field(default_factory=AudioShapes)
    deepstack_num_inject_layers: _Injections | None = 3

    @property
    def injected_layers(self) -> int:
        """DeepStack mergers: the first taps have one each, up to the configured number; None: all of them."""
        taps, most = len(self.audio_config.deepstack_encoder_layer_indexes), self.deepstack_num_inject_layers
        return taps if most is None else min(taps, most)


_SHAPES: Final = TypeAdapter(Shapes)


def shapes_of(config: Mapping[str, object]) -> Shapes:
    """Return the shapes in a parsed `config.json`; other keys are ignored.

    Raises:
        UsageError: a key is missing, is not a whole number, or is out of bounds; or heads do not divide.
    """
    try:
        shapes = _SHAPES.validate_python(dict(config))
    except ValidationError as error:
        first = error.errors()[0]
        raise _refused(".".join(map(str, first["loc"])), first["msg"]) from error
    audio, language = shapes.audio_config, shapes.language_config
    if audio.d_model % audio.encoder_attention_heads:
        raise _refused("audio_config.d_model", "has to be a multiple of encoder_attention_heads")
    if language.num_attention_heads % language.num_key_value_heads:
        raise _refused("language_config.num_attention_heads", "has to be a multiple of num_key_value_heads")
    return shapes


def _refused(where: str, reason: str) -> UsageError:
    return UsageError(
        f"This is not a configuration of MOSS-Audio: {where}: {reason}",
        hint="Use the config.json of a released model",
    )
