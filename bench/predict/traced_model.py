"""A model that is not loaded: its tensors from the meta device, and its traces, shared by all cards."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from typing import Final, Literal

from bench.engines.native.engine import expected_tensors
from bench.engines.native.profiles import settings_of
from bench.engines.support import audio_positions
from bench.errors import BenchError, UsageError, WeightsError
from bench.moss_audio import MossAudioConfig, MossAudioProcessor
from bench.moss_audio.prompt import ShippedPrompt, split_text
from bench.predict.attention import attention_of
from bench.predict.source import Source
from bench.predict.target import Target
from bench.predict.trace import ModelMemory, Trace
from bench.predict.tracing.tracer import Setting, Tracer, model_memory
from bench.records.record import ModelInfo, Requested
from bench.weights.checkpoint import require_shapes
from bench.weights.hub_errors import UNUSABLE_CONFIG

_SAMPLES_PER_S = 16_000
_SAMPLES_PER_FRAME = 160

_EMBEDDINGS: Final = "language_model.embed_tokens.weight"

_FAKE_TENSORS: Final = logging.getLogger("torch._subclasses.fake_tensor")
_CONFIG_ERRORS: Final = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)

Kind = Literal["cpu", "cuda"]


def mel_frames(clip_seconds: float) -> int:
    """Mel frames of a clip: 100 a second."""
    return round(clip_seconds * _SAMPLES_PER_S) // _SAMPLES_PER_FRAME


class TracedModel:
    """The tensors and traces of a model of which nothing is loaded. `announce` receives each trace's name.

    Raises:
        UsageError: a configuration from which no model can be built.
        WeightsError: headers that do not match this configuration.
    """

    def __init__(self, source: Source, dtype: str, announce: Callable[[str], None]) -> None:
        self._source = source
        self._announce = announce
        with _usage_errors():
            self._config = MossAudioConfig(**dict(source.config))  # type: ignore[arg-type]
        self._tracers: dict[Setting, Tracer] = {}
        self._traces: dict[tuple[Setting, float, int], Trace] = {}
        self._text_tokens: dict[str, int] = {}
        with _usage_errors():
            self._memory = _memory_of(self._config, dtype, source.tensors)

    @property
    def info(self) -> ModelInfo:
        """Return the model in the form of a record."""
        origin = self._source.origin
        return ModelInfo(
            name=origin.name,
            repo=origin.repo,
            revision=self._source.commit,
            weight_mode=origin.weight_mode,
            config_sha256=self._source.config_sha256,
            parameters=self._memory.weights_bytes // self._memory.element_bytes,
            weights_bytes=self._memory.weights_bytes,
        )

    def memory(self, requested: Requested, kind: Kind) -> ModelMemory:
        """Return the tensors of the loaded model, and those that move to the host after loading."""
        if kind == "cpu" or settings_of(requested.profile).embeddings == "device":
            return self._memory
        names = self._source.tensors or expected_tensors(self._config)
        return replace(self._memory, leaving=(list(names).index(_EMBEDDINGS),))

    def prompt_tokens(self, requested: Requested) -> int:
        """Return the length of the prefill: text, audio, its bounds and its markers.

        Raises:
            UsageError: a prompt that cannot be counted without a tokenizer.
        """
        text = self._text_tokens.get(requested.prompt)
        if text is None:
            text = self._text_tokens[requested.prompt] = self._count(requested.prompt)
        return text + audio_positions(requested.clip_seconds, requested.time_markers)

    def trace(self, requested: Requested, target: Target) -> Trace:
        """Return the trace of a cell on a device, for any length of its answer. Like devices share it."""
        setting = setting_of(requested, target)
        tokens = self.prompt_tokens(requested)
        key = (setting, requested.clip_seconds, tokens)
        if key not in self._traces:
            self._announce(f"tracing {requested.clip_seconds:g} s, {setting.kernel}")
            with _usage_errors():
                if setting not in self._tracers:
                    self._tracers[setting] = Tracer(self._config, self._limited(setting))
                self._traces[key] = self._tracers[setting].trace(mel_frames(requested.clip_seconds), tokens)
        return self._traces[key]

    def _limited(self, setting: Setting) -> Setting:
        """Limit the chunks at once of a profile to those of the model."""
        own = self._config.audio_config.conv_chunksize
        return replace(setting, chunks_at_once=min(own, setting.chunks_at_once or own))

    def _count(self, prompt: str) -> int:
        tokenizer = self._source.tokenizer
        if tokenizer is None:
            tokenize = ShippedPrompt.load().tokenize
            return sum(len(tokenize(piece)) for piece in split_text(prompt))
        try:
            text = MossAudioProcessor.from_pretrained(tokenizer).need_tokenizer()
            return sum(
                len(text(piece, add_special_tokens=False)["input_ids"]) for piece in split_text(prompt)
            )
        except BenchError:
            raise
        except Exception as error:
            raise WeightsError(
                f"The tokenizer in {tokenizer} cannot be loaded ({type(error).__name__})",
                hint="Download it again, or point --model to a complete MOSS-Audio checkpoint",
            ) from error


def setting_of(requested: Requested, target: Target) -> Setting:
    """Return the setting that decides a cell's trace on a device."""
    profile = settings_of(requested.profile)
    kernel, is_grouped = attention_of(requested, target)
    return Setting(
        dtype=requested.dtype,
        kernel=kernel,
        is_grouped=is_grouped,
        encoder_attention=requested.encoder_attention,
        logits_positions=profile.logits_positions,
        sampling=requested.sampling,
        kind="cpu" if target.card is None else "cuda",
        chunks_at_once=profile.encoder_chunks_at_once,
        mlp_positions_at_once=profile.mlp_positions_at_once,
        hold_audio=profile.hold_audio,
    )


@contextmanager
def _usage_errors() -> Iterator[None]:
    """Turn errors of transformers and torch over an inconsistent configuration into one UsageError.

    Silences torch, which would log a traceback first.
    """
    level = _FAKE_TENSORS.level
    _FAKE_TENSORS.setLevel(logging.CRITICAL)
    try:
        yield
    except BenchError:
        raise
    except (*UNUSABLE_CONFIG, *_CONFIG_ERRORS) as error:
        message = " ".join(str(error).split())[:160]
        raise UsageError(
            f"This configuration cannot be used: {type(error).__name__}: {message}",
            hint="Use the config.json of a released model",
        ) from error
    finally:
        _FAKE_TENSORS.setLevel(level)


def _memory_of(
    config: MossAudioConfig, dtype: str, stated: Mapping[str, tuple[int, ...]] | None
) -> ModelMemory:
    """Return the tensors from the meta device; headers, where given, must agree and decide the order."""
    memory = model_memory(config, dtype)
    if stated is None:
        return memory
    require_shapes(stated, expected_tensors(config), "these headers")
    return replace(memory, tensors=tuple(prod(shape) * memory.element_bytes for shape in stated.values()))
