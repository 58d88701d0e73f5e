"""MOSS-Audio for generation: audio encoder, adapter and DeepStack mergers before a Qwen3 language model."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Self, cast

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from transformers import GenerationMixin, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

from bench.errors import UsageError
from bench.moss_audio.attention import UNGROUPED, register_ungrouped
from bench.moss_audio.configuration import AudioEncoderConfig, MossAudioConfig
from bench.moss_audio.encoder import AudioEncoder
from bench.moss_audio.language import DeepStack, DeepStackQwen3Model, spread

_AUDIO_INPUTS: Final = ("audio_features", "audio_slots", "encoded_audio", "announce")


class ModelInputError(UsageError, ValueError):
    """Inputs that contradict each other."""


@dataclass(frozen=True, slots=True)
class EncodedAudio:
    """An encoded clip; pass it to `forward` or `generate` instead of `audio_features`.

    Read by attribute, or by key as a mapping.

    Attributes:
        encoder_last_hidden: `[batch, tokens, d_model]`, after the encoder's final norm.
        deepstack: `[taps, batch, tokens, d_model]`, encoder hidden states before the mergers.
        audio_embeds: `[batch, tokens, hidden_size]`, replace the embeddings of the audio slots.
        deepstack_embeds: one `[batch, tokens, hidden_size]` per injected layer, of the first taps.
    """

    encoder_last_hidden: Tensor
    deepstack: Tensor
    audio_embeds: Tensor
    deepstack_embeds: tuple[Tensor, ...]

    def __getitem__(self, key: str) -> Tensor | tuple[Tensor, ...]:
        """Return a tensor by name, as in a dict."""
        if key not in self.keys():
            raise KeyError(key)
        return cast(Tensor | tuple[Tensor, ...], getattr(self, key))

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def keys(self) -> tuple[str, ...]:
        """Names of the tensors."""
        return ("encoder_last_hidden", "deepstack", "audio_embeds", "deepstack_embeds")


class GatedMLP(nn.Module):
    """down(silu(gate(x)) * up(x)), no bias: from the encoder's width to the language model's."""

    def __init__(self, config: MossAudioConfig) -> None:
        super().__init__()
        width, inner = config.audio_config.output_dim, config.adapter_hidden_size
        self.gate_proj = nn.Linear(width, inner, bias=False)
        self.up_proj = nn.Linear(width, inner, bias=False)
        self.down_proj = nn.Linear(inner, config.language_config.hidden_size, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        """`[..., output_dim]` to `[..., hidden_size]`."""
        return self.down_proj(F.silu(self.gate_proj(hidden)) * self.up_proj(hidden))  # type: ignore[no-any-return]


class MossAudioModel(PreTrainedModel, GenerationMixin):  # type: ignore[no-untyped-call]
    """The whole model.

    `attn_implementation` reaches the language model only, `encoder_attn_implementation` the encoder only.
    """

    config_class = MossAudioConfig
    base_model_prefix = ""
    main_input_name = "input_ids"
    _no_split_modules = ["EncoderLayer"]  # noqa: RUF012
    _skip_keys_device_placement = ["past_key_values"]  # noqa: RUF012
    _supports_flash_attn = True
    _supports_sdpa = True
    _supports_attention_backend = True

    config: MossAudioConfig

    def __init__(self, config: MossAudioConfig) -> None:
        if config.language_config._attn_implementation == UNGROUPED:
            register_ungrouped()
        super().__init__(config)
        audio: AudioEncoderConfig = config.audio_config
        self.audio_encoder = AudioEncoder(audio, config.encoder_attn_implementation)
        self.audio_adapter = GatedMLP(config)
        self.deepstack_audio_merger_list = nn.ModuleList(
            GatedMLP(config) for _ in range(config.injected_layers)
        )
        self.language_model = DeepStackQwen3Model(config.language_config, config.mlp_positions_at_once)
        text = config.language_config
        self.lm_head = nn.Linear(text.hidden_size, text.vocab_size, bias=False)
        self.post_init()  # type: ignore[no-untyped-call]

    @classmethod
    def from_pretrained(cls, *args: Any, **kwargs: Any) -> Self:
        """As in transformers, but reads safetensors only: nothing is ever unpickled.

        Raises:
            OSError: no such checkpoint, or one without safetensors.
            ConfigError: a configuration that this architecture does not have.
        """
        return super().from_pretrained(*args, **{**kwargs, "use_safetensors": True})

    def get_input_embeddings(self) -> nn.Embedding:
        """The text embeddings."""
        return self.language_model.embed_tokens

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the text embeddings."""
        self.language_model.embed_tokens = cast(nn.Embedding, value)

    def get_output_embeddings(self) -> nn.Linear:
        """The untied head."""
        return cast(nn.Linear, self.lm_head)

    def encode_audio(self, audio_features: Tensor, **_: Any) -> EncodedAudio:
        """Run the audio side alone: encoder, adapter and DeepStack mergers.

        Args:
            audio_features: log-mel, `[batch, mel_bins, frames]`, every clip of the same length.

        Further inputs of the processor are accepted and not needed: `model.encode_audio(**inputs)`.
        """
        last_hidden, taps = self.audio_encoder(audio_features)
        return EncodedAudio(
            encoder_last_hidden=last_hidden,
            deepstack=torch.stack(taps) if taps else last_hidden.new_empty(0, *last_hidden.shape),
            audio_embeds=self.audio_adapter(last_hidden),
            deepstack_embeds=tuple(
                merger(tap) for merger, tap in zip(self.deepstack_audio_merger_list, taps, strict=False)
            ),
        )

    def forward(  # noqa: PLR0917  (the names that generate passes)
        self,
        input_ids: Tensor | None = None,
        audio_features: Tensor | None = None,
        audio_slots: Tensor | None = None,
        encoded_audio: EncodedAudio | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | Tensor = 0,
        announce: Callable[[Literal["encode", "prefill"]], None] | None = None,
        return_dict: bool | None = None,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast | tuple[Any, ...]:
        """One pass over a prompt with audio, or over one more token with a cache.

        Args:
            input_ids: `[batch, length]`.
            audio_features: log-mel `[batch, mel_bins, frames]`, in the prefill only.
            audio_slots: `[batch, audio_tokens]`, the positions in `input_ids` that the audio takes.
            encoded_audio: what `encode_audio` returned, instead of `audio_features`.
            attention_mask, position_ids, past_key_values, use_cache: as in Qwen3.
            inputs_embeds: text embeddings, instead of `input_ids` and without audio.
            logits_to_keep: logits of the last so many positions; 0: of every position, as upstream does.
            announce: called when the audio side begins ("encode") and the language model does ("prefill").
            return_dict: False for a plain tuple.
            kwargs: passed on to Qwen3.

        Raises:
            ModelInputError: audio twice, or without its slots.
        """
        deepstack = held = None
        if audio_features is not None or encoded_audio is not None:
            announce = announce or (lambda _: None)
            announce("encode")
            encoded = self._encoded(audio_features, encoded_audio)
            inputs_embeds, deepstack = self._embed_prompt(input_ids, inputs_embeds, audio_slots, encoded)
            input_ids = None
            held = (encoded.audio_embeds, encoded.deepstack) if self.config.hold_audio else None
            del encoded
            announce("prefill")
        outputs = self.language_model(
            input_ids=input_ids,
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            use_cache=use_cache,
            deepstack=deepstack,
            **kwargs,
        )
        keep = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        result = CausalLMOutputWithPast(
            logits=self.lm_head(outputs.last_hidden_state[:, keep, :]),
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        del held  # upstream's local variables end here
        return result.to_tuple() if return_dict is False else result

    def _encoded(self, audio_features: Tensor | None, encoded_audio: EncodedAudio | None) -> EncodedAudio:
        if audio_features is None:
            return cast(EncodedAudio, encoded_audio)
        if encoded_audio is not None:
            raise ModelInputError("Give audio_features or encoded_audio, not both")
        return self.encode_audio(audio_features)

    def _embed_prompt(
        self,
        input_ids: Tensor | None,
        inputs_embeds: Tensor | None,
        slots: Tensor | None,
        encoded: EncodedAudio,
    ) -> tuple[Tensor, DeepStack]:
        if slots is None or (input_ids is None) == (inputs_embeds is None):
            raise ModelInputError("Audio needs audio_slots beside input_ids", hint="The processor makes both")
        embeds = self.get_input_embeddings()(input_ids) if inputs_embeds is None else inputs_embeds
        batch, tokens = embeds.shape[0], encoded.audio_embeds.shape[1]
        if slots.shape != (batch, tokens):
            raise ModelInputError(f"audio_slots are {tuple(slots.shape)}, the audio needs {(batch, tokens)}")
        parts = (encoded.audio_embeds, *encoded.deepstack_embeds)
        audio, *deepstack = (part.to(embeds).expand(batch, -1, -1) for part in parts)
        slots = slots.to(embeds.device)
        return embeds.scatter(1, spread(slots, audio), audio), DeepStack(tuple(deepstack), slots)

    if TYPE_CHECKING:  # the real one wants a self that type checkers do not recognise in any model
        generate: Callable[..., Any]

    def prepare_inputs_for_generation(  # type: ignore[override]  # the two majors differ in what lies between
        self, input_ids: Tensor, past_key_values: Any = None, **kwargs: Any
    ) -> dict[str, Any]:
        """As in transformers; audio goes into the prefill only (every pass, where there is no cache)."""
        prepare: Callable[..., dict[str, Any]] = super().prepare_inputs_for_generation  # type: ignore[misc]
        inputs = prepare(input_ids, past_key_values=past_key_values, **kwargs)
        taken = inputs.get("input_ids")
        if past_key_values is not None and taken is not None and taken.shape[1] < input_ids.shape[1]:
            for name in _AUDIO_INPUTS:
                inputs.pop(name, None)
        return inputs
