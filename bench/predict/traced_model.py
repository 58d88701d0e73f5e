"""A model of which only shapes exist: tensors of the meta device, and traces that all cards share."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from typing import Final

from bench.engines.native.engine import expected_tensors
from bench.engines.native.profiles import settings_of
from bench.errors import BenchError, UsageError
from bench.moss_audio import MossAudioConfig
from bench.predict.card_clip import CardClip
from bench.predict.card_envelope import CardTerms
from bench.predict.planned_model import PlannedModel
from bench.predict.prediction import OnCards
from bench.predict.setting import Setting
from bench.predict.trace import ModelMemory, Trace
from bench.predict.tracing.tracer import Tracer, model_memory
from bench.records.enums import Profile
from bench.weights.checkpoint import require_shapes
from bench.weights.hub_errors import UNUSABLE_CONFIG

_EMBEDDINGS: Final = "language_model.embed_tokens.weight"
_FRAMES_PER_S: Final = 100
_MOST_TRACES: Final = 32
"""A trace of a long clip takes megabytes."""

_CONFIG_ERRORS: Final = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


class TracedModel:
    """The tensors and traces of a model of which nothing is loaded. `announce` receives each trace's name.

    Raises:
        UsageError: a configuration from which no model can be built.
        WeightsError: headers that do not match this configuration.
    """

    def __init__(self, model: PlannedModel, announce: Callable[[str], None]) -> None:
        self._source = model.source
        self._announce = announce
        with _usage_errors():
            self._config = MossAudioConfig(**dict(self._source.config))  # type: ignore[arg-type]
        self._tracers: dict[Setting, Tracer] = {}
        self._traces: dict[tuple[Setting, int, int], Trace] = {}
        self._last: tuple[object, OnCards] | None = None
        with _usage_errors():
            self._memory = _memory_of(self._config, model.dtype, self._source.tensors)

    def memory(self, profile: Profile | None = None) -> ModelMemory:
        """Return the tensors of the loaded model, and those that a profile moves to the host afterwards.

        On a CPU nothing moves: no profile.
        """
        if profile is None or settings_of(profile).embeddings == "device":
            return self._memory
        names = self._source.tensors or expected_tensors(self._config)
        return replace(self._memory, leaving=(list(names).index(_EMBEDDINGS),))

    def trace(self, setting: Setting, mel_frames: int, prompt_tokens: int) -> Trace:
        """Return the trace of a clip, for any length of its answer."""
        key = (setting, mel_frames, prompt_tokens)
        if key not in self._traces:
            self._announce(f"tracing {mel_frames / _FRAMES_PER_S:g} s, {setting.kernel}")
            with _usage_errors():
                if setting not in self._tracers:
                    self._tracers[setting] = Tracer(self._config, self._limited(setting))
                self._traces[key] = self._tracers[setting].trace(mel_frames, prompt_tokens)
            if len(self._traces) > _MOST_TRACES:
                del self._traces[next(iter(self._traces))]
        return self._traces[key]

    def find(self, clip: CardClip, max_tokens: Sequence[int]) -> dict[int, CardTerms]:
        """Return the figures of a clip on a card for all these answers. The last clip costs least."""
        lengths = clip.setting, clip.mel_frames, clip.prompt_tokens
        if self._last is None or self._last[0] != (clip.profile, lengths):
            on_cards = OnCards(self.trace(*lengths), self.memory(clip.profile))
            self._last = (clip.profile, lengths), on_cards
        return self._last[1].terms(clip.place, max_tokens)

    def _limited(self, setting: Setting) -> Setting:
        """Limit the chunks at once of a profile to those of the model."""
        own = self._config.audio_config.conv_chunksize
        return replace(setting, chunks_at_once=min(own, setting.chunks_at_once or own))


@contextmanager
def _usage_errors() -> Iterator[None]:
    """Turn errors of transformers and torch over an inconsistent configuration into one UsageError."""
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


def _memory_of(
    config: MossAudioConfig, dtype: str, stated: Mapping[str, tuple[int, ...]] | None
) -> ModelMemory:
    """Return the tensors from the meta device; headers, where given, must agree and decide the order."""
    memory = model_memory(config, dtype)
    if stated is None:
        return memory
    require_shapes(stated, expected_tensors(config), "these headers")
    return replace(memory, tensors=tuple(prod(shape) * memory.element_bytes for shape in stated.values()))
