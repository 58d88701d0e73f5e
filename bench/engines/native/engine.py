"""The native engine: our implementation of the model, run by transformers' `generate`."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from transformers import GenerationConfig, PreTrainedTokenizerBase, TextStreamer
from transformers.utils import logging

from bench import shipped
from bench.arithmetic import architecture
from bench.arithmetic.shapes import shapes_of
from bench.engines.interface import EngineSettings, Generation, ModelFacts, ModelSource, Request
from bench.engines.native.answering import answer, generation_config
from bench.engines.native.profiles import ProfileSettings, settings_of
from bench.engines.native.sdpa import sdpa_kernel
from bench.errors import BenchError
from bench.measure.observer import Observer
from bench.moss_audio import MossAudioConfig, MossAudioModel, MossAudioProcessor
from bench.moss_audio.attention import GROUPED, UNGROUPED
from bench.moss_audio.mel import LogMel
from bench.packages import version_of
from bench.records.cell import Requested, Work
from bench.records.enums import Attention, Phase, SdpaGrouping, WeightMode
from bench.weights.checkpoint import config_sha256, verify
from bench.weights.random import meta_model, random_model
from bench.weights.tiny import write_tiny_checkpoint

_SEED_OF_RANDOM_WEIGHTS: Final = 0
_GROUPINGS: Final[dict[str, SdpaGrouping]] = {GROUPED: "grouped", UNGROUPED: "ungrouped"}


@dataclass(frozen=True, kw_only=True)
class NativeGeneration(Generation):
    """One answer, with the ids of its tokens."""

    token_ids: tuple[int, ...]
    audio_tokens: int
    prompt_tokens: int
    kv_cache: str


class NativeEngine:
    """One MOSS-Audio model on one device."""

    def __init__(self, source: ModelSource, device: torch.device) -> None:
        self._source = source
        self._device = device
        _make_tiny_if_missing(source)
        self._config_file = _config_file(source)
        self._config = MossAudioConfig(**json.loads(self._config_file.read_text(encoding="utf-8")))
        self._model: MossAudioModel | None = None
        self._processor: MossAudioProcessor | None = None
        self._requested: Requested | None = None
        self._end_of_answer: list[int] = []

    def facts(self, dtype: str) -> ModelFacts:
        """Return parameters and bytes, from the meta device; check a checkpoint's tensors against them.

        Raises:
            WeightsError: missing, extra or misshapen tensors.
        """
        expected = expected_tensors(self._config)
        parameters = sum(_count(shape) for shape in expected.values())
        if self._source.directory is not None:
            verify(self._source.directory, expected)
        return ModelFacts(
            config_sha256=config_sha256(self._config_file),
            parameters=parameters,
            weights_bytes=parameters * getattr(torch, dtype).itemsize,
            max_positions=self._config.language_config.max_position_embeddings,
        )

    def load(self, requested: Requested) -> None:
        """Load the model onto the device."""
        self._requested = requested
        profile = settings_of(requested.profile)
        attention = self._attention(requested, profile)
        if self._device.type == "cuda":
            # transformers subtracts reserved memory from the one block that it reserves for the weights:
            # a cached segment of 2 MiB makes that block too small for the last of them.
            torch.cuda.empty_cache()
        options = _options(self._config, profile)
        if self._source.directory is None:
            self._processor = MossAudioProcessor.without_tokenizer(enable_time_marker=requested.time_markers)
            self._model = random_model(
                MossAudioConfig(**{**self._config.to_dict(), **options}),
                dtype=getattr(torch, requested.dtype),
                device=self._device,
                seed=_SEED_OF_RANDOM_WEIGHTS,
                attention=attention,
                encoder_attention=requested.encoder_attention,
            )
        else:
            self._processor = MossAudioProcessor.from_pretrained(
                self._source.directory, enable_time_marker=requested.time_markers
            )
            self._model = MossAudioModel.from_pretrained(
                self._source.directory,
                dtype=getattr(torch, requested.dtype),
                device_map={"": self._device},
                attn_implementation=attention,
                encoder_attn_implementation=str(requested.encoder_attention),
                **options,
            )
        if profile.embeddings == "host":
            self._model.language_model.embed_tokens.to("cpu")
            torch.cuda.empty_cache()  # does nothing without CUDA
        self._model.eval()  # type: ignore[no-untyped-call]
        self._end_of_answer = _end_of_answer(self._model)
        # `generate` takes a setting at its default value from the checkpoint instead; but the settings in a
        # record have to be those that run.
        self._model.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]

    def _attention(self, requested: Requested, profile: ProfileSettings) -> str:
        """Return the name that transformers has for the language model's attention."""
        if requested.attention is not Attention.SDPA:
            return str(requested.attention)
        kernel = sdpa_kernel(self._device.type, requested.dtype)
        return GROUPED if profile.is_grouped(kernel) else UNGROUPED

    def settings(self) -> EngineSettings:
        """Return the settings of the loaded model."""
        model, requested = self._loaded()
        audio, attention = model.config.audio_config, model.config.language_config._attn_implementation
        return EngineSettings(
            device="cuda" if self._device.type == "cuda" else "cpu",
            dtype=str(next(model.parameters()).dtype).removeprefix("torch."),
            attention_provider=_provider(requested.attention),
            logits_positions=settings_of(requested.profile).logits_positions,
            encoder_chunk_frames=audio.chunk_frames,
            encoder_chunks_at_once=audio.conv_chunksize,
            mlp_positions_at_once=model.config.mlp_positions_at_once,
            embeddings="device" if _on(model.language_model.embed_tokens.weight, self._device) else "host",
            sdpa_grouping=_GROUPINGS.get(attention),
            threads=torch.get_num_threads() if self._device.type == "cpu" else None,
        )

    def weights(self) -> list[torch.Tensor]:
        """Return the parameters that are on the device."""
        return [weight for weight in self._loaded()[0].parameters() if _on(weight, self._device)]

    def buffers(self) -> list[torch.Tensor]:
        """Return the buffers: the rotary frequencies."""
        return list(self._loaded()[0].buffers())

    @torch.no_grad()
    def generate(
        self, request: Request, observer: Observer, say: Callable[[str], None] | None = None
    ) -> NativeGeneration:
        """Answer one request, and announce each phase at its begin. Waits for the device only with `say`.

        `say` receives the text in pieces.
        """
        model, requested = self._loaded()
        torch.manual_seed(request.seed)
        config = generation_config(
            max_tokens=request.max_tokens,
            forced_length=request.forced_length,
            sampling=request.sampling,
            end_of_answer=self._end_of_answer,
        )
        observer.begin(Phase.PREPROCESS)
        inputs = self.processor()(
            text=request.prompt, audio=request.samples, time_markers=request.time_markers
        )
        inputs = inputs.to(self._device)
        inputs["audio_features"] = inputs["audio_features"].to(next(model.parameters()).dtype)
        prompt_tokens = int(inputs["input_ids"].shape[1])
        output = answer(
            model,
            inputs,
            config,
            observer,
            logits_positions=settings_of(requested.profile).logits_positions,
            streamer=_Streamer(self.processor().require_tokenizer(), say) if say is not None else None,
        )
        tokens = tuple(output.sequences[0, prompt_tokens:].tolist())
        return NativeGeneration(
            generated_tokens=len(tokens),
            token_ids=tokens,
            stop_reason="length" if len(tokens) == request.max_tokens else "eos",
            audio_tokens=int(inputs["audio_slots"].shape[1]),
            prompt_tokens=prompt_tokens,
            kv_cache=type(output.past_key_values).__name__,
        )

    def work(self, request: Request, generation: Generation) -> Work:
        """Return bytes and operations of a generation, from the shapes of the loaded model."""
        _, requested = self._loaded()
        if not isinstance(generation, NativeGeneration):
            raise BenchError("this generation is not one of the native engine")
        shapes, prompt = shapes_of(self._config.to_dict()), generation.prompt_tokens
        return Work(
            decode_bytes_per_token=architecture.decode_bytes_per_token(
                shapes,
                prompt_tokens=prompt,
                generated_tokens=generation.generated_tokens,
                element_bytes=getattr(torch, requested.dtype).itemsize,
            ),
            encode_operations=architecture.encode_operations(shapes, request.samples.size // LogMel.hop),
            prefill_operations=architecture.prefill_operations(
                shapes,
                prompt_tokens=prompt,
                logits_positions=prompt if self.settings().logits_positions == "all" else 1,
            ),
        )

    def processor(self) -> MossAudioProcessor:
        """The loaded processor.

        Raises:
            BenchError: nothing is loaded.
        """
        if self._processor is None:
            raise BenchError("the engine was used before it was loaded")
        return self._processor

    def _loaded(self) -> tuple[MossAudioModel, Requested]:
        if self._model is None or self._requested is None:
            raise BenchError("the engine was used before it was loaded")
        return self._model, self._requested


class _Streamer(TextStreamer):
    """Passes the text of an answer to `say` instead of printing it."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, say: Callable[[str], None]) -> None:
        super().__init__(tokenizer, skip_prompt=True, skip_special_tokens=True)
        self._say = say

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:  # noqa: ARG002
        """Pass on one piece."""
        self._say(text)


def _config_file(source: ModelSource) -> Path:
    return (
        source.directory / "config.json"
        if source.directory
        else shipped.data("models", f"{source.name}.json")
    )


def _make_tiny_if_missing(source: ModelSource) -> None:
    if source.weight_mode is WeightMode.TINY and source.directory is not None:
        write_tiny_checkpoint(source.directory)


def _end_of_answer(model: MossAudioModel) -> list[int]:
    """Return the ids that end an answer: those of generation_config.json, else the one of config.json."""
    ids: int | list[int] | None = model.generation_config.eos_token_id
    ids = model.config.eos_token_id if ids is None else ids
    return ids if isinstance(ids, list) else [] if ids is None else [ids]


def quiet_transformers() -> None:
    """Keep progress bars and advice of transformers off standard error; for processes of our own."""
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def expected_tensors(config: MossAudioConfig) -> dict[str, tuple[int, ...]]:
    """Return name and shape of every tensor of a checkpoint with this configuration, from the meta device."""
    state = meta_model(config, dtype=torch.bfloat16).state_dict()
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def _options(config: MossAudioConfig, profile: ProfileSettings) -> dict[str, Any]:
    """Return the changes of the profile to the model's configuration; none for `faithful`."""
    audio = config.audio_config
    at_once = min(audio.conv_chunksize, profile.encoder_chunks_at_once or audio.conv_chunksize)
    return {
        "audio_config": replace(audio, conv_chunksize=at_once),
        "mlp_positions_at_once": profile.mlp_positions_at_once,
        "hold_audio": profile.hold_audio,
    }


def _on(tensor: torch.Tensor, device: torch.device) -> bool:
    return tensor.device.type == device.type


def _provider(attention: Attention) -> str:
    if attention is Attention.FLASH_ATTENTION_2:
        return f"flash-attn {version_of('flash-attn')}"
    return f"torch {torch.__version__}"


def _count(shape: tuple[int, ...]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total
