"""The model of a plan: its memory from the meta device, and its traces, each made once for all cards."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from typing import Final, Literal

from bench.engines.native import expected_tensors
from bench.engines.profiles import settings_of
from bench.engines.support import audio_positions
from bench.errors import BenchError, UsageError
from bench.moss_audio import MossAudioConfig, MossAudioProcessor
from bench.moss_audio.prompt import ShippedPrompt, split_text
from bench.predict.events import Trace
from bench.predict.model import ModelMemory
from bench.predict.source import Source
from bench.predict.tracing.tracer import Setting, Tracer, model_memory
from bench.records.enums import Attention
from bench.records.record import ModelInfo, Requested
from bench.weights.checkpoint import require_shapes
from bench.weights.hub_errors import UNUSABLE_CONFIG

_SAMPLES_PER_S = 16_000
_SAMPLES_PER_FRAME = 160

_EMBEDDINGS: Final = "language_model.embed_tokens.weight"

_FAKE_TENSORS: Final = logging.getLogger("torch._subclasses.fake_tensor")
_STUMBLES: Final = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)

Kind = Literal["cpu", "cuda"]
CellTelemetry = Callable[[str], None]


def mel_frames(clip_seconds: float) -> int:
    """Mel frames of a clip: 100 a second."""
    return round(clip_seconds * _SAMPLES_PER_S) // _SAMPLES_PER_FRAME


class TracedModel:
    """A model of which nothing is loaded. `told` hears what is being traced.

    Raises:
        UsageError: a configuration that no model can be built of.
        WeightsError: headers that are not those of this configuration.
    """

    def __init__(self, source: Source, dtype: str, told: CellTelemetry) -> None:
        self._source = source
        self._told = told
        with _usable():
            self._config = MossAudioConfig(**dict(source.config))  # type: ignore[arg-type]
        self._tracers: dict[Setting, Tracer] = {}
        self._traces: dict[tuple[Setting, float, int], Trace] = {}
        self._text_tokens: dict[str, int] = {}
        with _usable():
            self._whole = _memory(self._config, dtype, source.tensors)

    @property
    def info(self) -> ModelInfo:
        """What a record says of it."""
        origin = self._source.origin
        return ModelInfo(
            name=origin.name,
            repo=origin.repo,
            revision=self._source.commit,
            weight_mode=origin.weight_mode,
            config_sha256=self._source.config_sha256,
            parameters=self._whole.weights_bytes // self._whole.element_bytes,
            weights_bytes=self._whole.weights_bytes,
        )

    def memory(self, requested: Requested, kind: Kind) -> ModelMemory:
        """What the loaded model holds on the device, and what leaves it once loaded."""
        if kind == "cpu" or settings_of(requested.profile).embeddings == "device":
            return self._whole
        names = self._source.tensors or expected_tensors(self._config)
        return replace(self._whole, leaving=(list(names).index(_EMBEDDINGS),))

    def prompt_tokens(self, requested: Requested) -> int:
        """Length of the prefill: text, audio, its bounds and its markers.

        Raises:
            UsageError: a prompt that cannot be counted without a tokenizer.
        """
        text = self._text_tokens.get(requested.prompt)
        if text is None:
            text = self._text_tokens[requested.prompt] = self._count(requested.prompt)
        return text + audio_positions(requested.clip_seconds, requested.time_markers)

    def trace(self, requested: Requested, kind: Kind) -> Trace:
        """The trace of a cell, whatever the length of its answer and the card it is for."""
        setting = setting_of(requested, kind)
        tokens = self.prompt_tokens(requested)
        key = (setting, requested.clip_seconds, tokens)
        if key not in self._traces:
            self._told(f"tracing {requested.clip_seconds:g} s, {setting.attention}")
            with _usable():
                if setting not in self._tracers:
                    self._tracers[setting] = Tracer(self._config, self._possible(setting))
                self._traces[key] = self._tracers[setting].trace(mel_frames(requested.clip_seconds), tokens)
        return self._traces[key]

    def _possible(self, setting: Setting) -> Setting:
        """A profile takes no more chunks at once than the model does."""
        own = self._config.audio_config.conv_chunksize
        return replace(setting, chunks_at_once=min(own, setting.chunks_at_once or own))

    def _count(self, prompt: str) -> int:
        tokenizer = self._source.tokenizer
        if tokenizer is None:
            tokenize = ShippedPrompt.load().tokenize
            return sum(len(tokenize(piece)) for piece in split_text(prompt))
        text = MossAudioProcessor.from_pretrained(tokenizer).need_tokenizer()
        return sum(len(text(piece, add_special_tokens=False)["input_ids"]) for piece in split_text(prompt))


def setting_of(requested: Requested, kind: Kind) -> Setting:
    """What decides the trace of a cell; on a card FlashAttention 2 allocates what SDPA does."""
    profile = settings_of(requested.profile)
    fused = kind == "cuda" and requested.attention is Attention.FLASH_ATTENTION_2
    return Setting(
        dtype=requested.dtype,
        attention=Attention.SDPA if fused else requested.attention,
        encoder_attention=requested.encoder_attention,
        logits_positions=profile.logits_positions,
        sampling=requested.sampling,
        kind=kind,
        chunks_at_once=profile.encoder_chunks_at_once,
        mlp_positions_at_once=profile.mlp_positions_at_once,
    )


@contextmanager
def _usable() -> Iterator[None]:
    """What transformers and torch raise over a configuration whose parts do not fit together, in one line.

    torch would log its own traceback before it.
    """
    level = _FAKE_TENSORS.level
    _FAKE_TENSORS.setLevel(logging.CRITICAL)
    try:
        yield
    except BenchError:
        raise
    except (*UNUSABLE_CONFIG, *_STUMBLES) as error:
        told = " ".join(str(error).split())[:160]
        raise UsageError(
            f"This configuration cannot be used: {type(error).__name__}: {told}",
            hint="Use the config.json of a released model",
        ) from error
    finally:
        _FAKE_TENSORS.setLevel(level)


def _memory(config: MossAudioConfig, dtype: str, stated: Mapping[str, tuple[int, ...]] | None) -> ModelMemory:
    """From the meta device; where there are headers, they have to state the same, and tell the order."""
    memory = model_memory(config, dtype)
    if stated is None:
        return memory
    require_shapes(stated, expected_tensors(config), "these headers")
    return replace(memory, tensors=tuple(prod(shape) * memory.element_bytes for shape in stated.values()))
