"""The model's configuration: the checkpoint's `config.json`, readable by transformers 4.57 and 5.x alike."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Final, Literal, Self, cast, get_args

from transformers import PretrainedConfig, Qwen3Config

from bench.errors import UsageError
from bench.shipped import data

EncoderAttentionName = Literal["eager", "sdpa"]
ENCODER_ATTENTIONS: Final[tuple[str, ...]] = get_args(EncoderAttentionName)

_SHIPPED_MODELS = data("models")


class ConfigError(UsageError, ValueError):
    """A configuration that this implementation cannot run."""


def halved(length: int) -> int:
    """Length after one convolution of kernel 3, stride 2, padding 1."""
    return (length - 1) // 2 + 1


def audio_token_count(mel_frames: int) -> int:
    """Return the audio tokens of a clip of so many mel frames: three halvings, 12.5 tokens a second."""
    return halved(halved(halved(mel_frames)))


@dataclass(frozen=True, slots=True)
class AudioEncoderConfig:
    """`audio_config` of the checkpoint. The defaults are those of all four released models.

    `n_window` (half a chunk, in mel frames) and `conv_chunksize` (chunks per batch) are not in the released
    files. Keys that the forward pass does not need stay in `extra`, so that a saved checkpoint keeps them.
    """

    d_model: int = 1280
    output_dim: int = 1280
    num_mel_bins: int = 128
    encoder_layers: int = 32
    encoder_attention_heads: int = 20
    encoder_ffn_dim: int = 5120
    downsample_rate: int = 8
    downsample_hidden_size: int = 480
    activation_function: str = "gelu"
    layer_norm_eps: float = 1e-5
    deepstack_encoder_layer_indexes: tuple[int, ...] = (8, 16, 24)
    n_window: int = 200
    conv_chunksize: int = 64
    extra: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse shapes that the architecture does not have.

        Raises:
            ConfigError: naming the key.
        """
        for wrong, message in (
            (self.downsample_rate != 8, "downsample_rate must be 8: the stem halves three times"),
            (self.output_dim != self.d_model, "output_dim must equal d_model: there is no output projection"),
            (self.d_model % self.encoder_attention_heads != 0, "d_model must be a multiple of the heads"),
            (self.d_model % 2 != 0, "d_model must be even: positions are sine and cosine halves"),
            (self.n_window < 4 or self.n_window % 4 != 0, "n_window must be a positive multiple of 4"),
            (self.conv_chunksize < 1, "conv_chunksize must be at least 1"),
            (
                not self._taps_exist(),
                "deepstack_encoder_layer_indexes must be ascending encoder layers",
            ),
        ):
            if wrong:
                raise ConfigError(f"Cannot use this audio_config: {message}")

    def _taps_exist(self) -> bool:
        taps = self.deepstack_encoder_layer_indexes
        return list(taps) == sorted(set(taps)) and all(0 <= tap < self.encoder_layers for tap in taps)

    @property
    def chunk_frames(self) -> int:
        """Mel frames per chunk: 400, that is 4 s."""
        return 2 * self.n_window

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Read the nested dict of a `config.json`; unknown keys are kept, not used."""
        known = {item.name for item in fields(cls)} - {"extra"}
        used: dict[str, Any] = {key: value for key, value in values.items() if key in known}
        if "deepstack_encoder_layer_indexes" in used:
            used["deepstack_encoder_layer_indexes"] = tuple(used["deepstack_encoder_layer_indexes"])
        return cls(**used, extra={key: value for key, value in values.items() if key not in known})

    def to_dict(self) -> dict[str, object]:
        """Return the nested dict of a `config.json`."""
        values = asdict(self)
        extra = values.pop("extra")
        taps = list(self.deepstack_encoder_layer_indexes)
        return {**extra, **values, "deepstack_encoder_layer_indexes": taps}


class MossAudioConfig(PretrainedConfig):  # type: ignore[no-untyped-call]
    """Configuration of `MossAudioModel`. Without arguments: the shapes of MOSS-Audio-4B.

    `attn_implementation` reaches `language_config` only, `encoder_attn_implementation` the encoder only.
    """

    model_type = "moss_audio"
    # Both 4.57 and 5.x look this name up. The audio side is left out: attn_implementation passes it by.
    sub_configs: ClassVar[dict[str, type[PretrainedConfig]]] = {"language_config": Qwen3Config}

    def __init__(  # noqa: PLR0917  (the keys of config.json)
        self,
        audio_config: AudioEncoderConfig | Mapping[str, object] | None = None,
        language_config: Qwen3Config | Mapping[str, object] | None = None,
        adapter_hidden_size: int = 8192,
        deepstack_num_inject_layers: int | None = 3,
        ignore_index: int = -100,
        encoder_attn_implementation: str = "eager",
        mlp_positions_at_once: int | None = None,
        hold_audio: bool = True,
        **kwargs: Any,
    ) -> None:
        """Raise `ConfigError` for shapes that do not fit together, or an unknown encoder attention.

        `mlp_positions_at_once`: positions of a prompt that go through a feed-forward layer of the language
        model together; None: all, as upstream does.
        `hold_audio`: keep the embeddings of the audio and the taps of the encoder until the pass over the
        prompt returns, as upstream does, although nothing reads them any more.
        """
        self.audio_config = _audio_config(audio_config)
        self.language_config = _language_config(language_config)
        self.adapter_hidden_size = adapter_hidden_size
        self.deepstack_num_inject_layers = deepstack_num_inject_layers
        self.ignore_index = ignore_index
        self.encoder_attn_implementation = check_encoder_attention(encoder_attn_implementation)
        if mlp_positions_at_once is not None and mlp_positions_at_once < 1:
            raise ConfigError("Cannot run: mlp_positions_at_once must be at least 1")
        self.mlp_positions_at_once = mlp_positions_at_once
        self.hold_audio = hold_audio
        self.vocab_size = kwargs.pop("vocab_size", self.language_config.vocab_size)
        self.num_hidden_layers = kwargs.pop("num_hidden_layers", self.language_config.num_hidden_layers)
        kwargs.setdefault("tie_word_embeddings", False)
        super().__init__(**kwargs)
        # 4.57 asks the language model's own flag whether to tie; the checkpoint's top level is what counts.
        self.language_config.tie_word_embeddings = self.tie_word_embeddings
        self._check_shapes()

    @property
    def injected_layers(self) -> int:
        """Number of layers of the language model that take a tap of the encoder: layer i takes tap i.

        `deepstack_num_inject_layers` is the most; None: as many as there are taps.
        """
        taps, most = len(self.audio_config.deepstack_encoder_layer_indexes), self.deepstack_num_inject_layers
        return taps if most is None else min(taps, most)

    def _check_shapes(self) -> None:
        most, layers = self.deepstack_num_inject_layers, self.language_config.num_hidden_layers
        if most is not None and (type(most) is not int or most < 0):
            raise ConfigError(f"Cannot inject {most!r} DeepStack layers: give a whole number from 0, or null")
        taps = self.injected_layers
        if taps > layers:
            raise ConfigError(
                f"Cannot inject {taps} DeepStack layers: the language model has {layers} layers"
            )
        if self.tie_word_embeddings:
            raise ConfigError("Cannot tie word embeddings: the lm_head of MOSS-Audio is a tensor of its own")

    def get_text_config(self, decoder: bool | None = None, encoder: bool | None = None) -> Qwen3Config:  # noqa: ARG002
        """The part that generates text, from which `generate` sizes its cache."""
        return self.language_config

    def to_dict(self) -> dict[str, Any]:
        """Return the nested dict of a `config.json`."""
        values: dict[str, Any] = super().to_dict()
        values["audio_config"] = self.audio_config.to_dict()
        return values


def released_models() -> tuple[str, ...]:
    """Names of the released models whose configuration ships with this package."""
    return tuple(sorted(file.stem for file in _SHIPPED_MODELS.glob("*.json")))


def released_config(name: str) -> MossAudioConfig:
    """Return the configuration of a released model, such as `MOSS-Audio-4B-Instruct`, without a network.

    Raises:
        ConfigError: no such model.
    """
    if name not in released_models():
        known = ", ".join(released_models())
        raise ConfigError(f"No released model is called '{name}'", hint=f"Known: {known}")
    values = json.loads((_SHIPPED_MODELS / f"{name}.json").read_text(encoding="utf-8"))
    return MossAudioConfig(**values)


def check_encoder_attention(name: str) -> EncoderAttentionName:
    """Return `name` when the encoder has it.

    Raises:
        ConfigError: any other name; FlashAttention 2 is for the language model only, as upstream runs.
    """
    if name not in ENCODER_ATTENTIONS:
        hint = "Choose one of: " + ", ".join(ENCODER_ATTENTIONS)
        raise ConfigError(f"The audio encoder has no attention called '{name}'", hint=hint)
    return cast(EncoderAttentionName, name)


def _audio_config(given: AudioEncoderConfig | Mapping[str, object] | None) -> AudioEncoderConfig:
    if isinstance(given, AudioEncoderConfig):
        return given
    return AudioEncoderConfig.from_dict(given or {})


def _language_config(given: Qwen3Config | Mapping[str, object] | None) -> Qwen3Config:
    if isinstance(given, Qwen3Config):
        return given
    values: dict[str, Any] = dict(_QWEN3_4B if given is None else given)
    values.pop("model_type", None)
    rope = values.get("rope_parameters")
    if isinstance(rope, Mapping) and "rope_theta" in rope:
        # Written by transformers 5; 4.57 knows `rope_theta` only and would silently fall back to 10,000.
        values.setdefault("rope_theta", rope["rope_theta"])
    return Qwen3Config(**values)


_QWEN3_4B: Final[Mapping[str, object]] = {
    "vocab_size": 151936,
    "hidden_size": 2560,
    "intermediate_size": 9728,
    "num_hidden_layers": 36,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "max_position_embeddings": 40960,
    "rope_theta": 1_000_000.0,
    "tie_word_embeddings": False,
}
