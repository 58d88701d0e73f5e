"""Traces of one generation of the full-size model, from tensors of the meta device.

The model is traced as on a CPU (`meta`), with the kernels of the device in place of the CPU's (`interiors`).
Other operators return results of the same sizes on both, but for the statistics of layer norms, which a card
keeps in float32: some kilobytes for the time of one operator.
"""

from dataclasses import dataclass
from typing import Any, Final

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import GenerationConfig

from bench.arithmetic.architecture import chunks
from bench.arithmetic.shapes import shapes_of
from bench.engines.native.answering import answer, generation_config
from bench.moss_audio import MossAudioConfig, MossAudioModel
from bench.moss_audio.attention import GROUPED, UNGROUPED
from bench.moss_audio.configuration import audio_token_count
from bench.predict.setting import Setting
from bench.predict.trace import ModelMemory, Trace
from bench.predict.tracing.decode import TRACED_TOKENS, DecodeTrace, pattern, splice_decode
from bench.predict.tracing.families import Family, Lengths, Parts
from bench.predict.tracing.folding import Fold, Recording, Unfolded, fold, unfold
from bench.predict.tracing.interiors import interior_of
from bench.predict.tracing.meta import META, like_cpu
from bench.predict.tracing.recorder import Recorder
from bench.weights.random import meta_model

_ENCODER: Final = "audio_encoder.layers"
_LANGUAGE: Final = "language_model.layers"
# Any id: it is compared only to decide whether the answer has ended.
_END_OF_ANSWER: Final = 0
# Kernels that store the scores of all pairs of positions.
_SQUARED: Final = frozenset({"eager", "math"})


@dataclass(frozen=True, slots=True)
class Reuse:
    """What of a trace may follow from earlier traces. Traces are equal without; each costs more time.

    `parts`: batches of encoder chunks and pieces of feed-forward layers; `decode_steps`: the steps after the
    first clip's prefill; `clips`: whole clips.
    """

    parts: bool = True
    decode_steps: bool = True
    clips: bool = True


class Tracer:
    """One model in one setting. Building it takes a fraction of a second; it can trace any number of clips.

    Only layers that differ are traced (`folding`), parts that run often a few times each (`families`), and
    decode steps after the first clip alone (`decode`); whole clips follow from others (`families`), where
    that is exact.
    """

    def __init__(self, config: MossAudioConfig, setting: Setting, reuse: Reuse = Reuse()) -> None:
        self._setting = setting
        self._reuse = reuse
        self._folds = {
            _ENCODER: fold(
                config.audio_config.encoder_layers, config.audio_config.deepstack_encoder_layer_indexes
            ),
            _LANGUAGE: fold(config.language_config.num_hidden_layers, range(config.injected_layers)),
        }
        self._config = _shortened(config, self._folds, setting)
        self._model = self._make()
        self._parts = Parts() if reuse.parts else None
        self._decode: DecodeTrace | None = None
        self._families: dict[tuple[object, ...], Family] = {}

    def trace(self, mel_frames: int, prompt_tokens: int) -> Trace:
        """Return the trace of a clip of so many mel frames; prompt tokens include audio and markers.

        Raises:
            TracingError: the model reads values.
            UnlikeLayersError, UnsteadyStepsError: parts that should repeat differ.
        """
        whole = self._known_or_run(mel_frames, prompt_tokens)
        return Trace(
            prompt_tokens=prompt_tokens,
            audio_tokens=audio_token_count(mel_frames),
            kernels=whole.kernels,
            events=whole.events,
            tokens_at=whole.tokens_at,
            step=pattern(whole.kernels, whole.events, whole.tokens_at),
        )

    def _known_or_run(self, mel_frames: int, prompt_tokens: int) -> Unfolded:
        structure, lengths = self._lengths(mel_frames, prompt_tokens)
        family = self._families.setdefault(structure, Family())
        known = family.at(lengths) if self._reuse.clips else None
        if known is not None:
            return known
        whole = self._traced(mel_frames, prompt_tokens)
        family.add(lengths, whole)
        return whole

    def _traced(self, mel_frames: int, prompt_tokens: int) -> Unfolded:
        tokens = 1 if self._decode is not None and self._reuse.decode_steps else TRACED_TOKENS
        run = self._run(mel_frames, prompt_tokens, tokens)
        if not self._reuse.decode_steps:
            return unfold(run, self._folds)
        self._decode = self._decode or DecodeTrace(prompt_tokens, unfold(run, self._folds))
        return splice_decode(unfold(run.to_first_token(), self._folds), prompt_tokens, self._decode)

    def _lengths(self, mel_frames: int, prompt_tokens: int) -> tuple[tuple[object, ...], Lengths]:
        """Return a key of clips that run the same operators, and the lengths in which sizes are affine."""
        audio, asked = self._config.audio_config, self._setting
        cut = chunks(shapes_of(self._config.to_dict()).audio_config, mel_frames)
        batches = -(-cut.pieces // audio.conv_chunksize)
        rest = mel_frames - (cut.pieces - 1) * cut.frames
        pieces = -(-prompt_tokens // (asked.mlp_positions_at_once or prompt_tokens))
        structure = (
            mel_frames if cut.pieces == 1 else None,
            batches,
            rest < cut.frames,
            audio_token_count(rest) < cut.tokens,
            pieces,
        )
        lengths = (cut.pieces, audio_token_count(mel_frames), prompt_tokens, mel_frames)
        squared = (prompt_tokens**2,) if asked.kernel in _SQUARED else ()
        return structure, (*lengths, *squared)

    def _run(self, mel_frames: int, prompt_tokens: int, max_tokens: int) -> Recording:
        sdpa = interior_of(self._setting.kernel, self._setting.kind)
        recorder = Recorder(max_tokens, sdpa, self._parts)
        with torch.no_grad(), like_cpu(), recorder.attached(self._model, (_ENCODER, _LANGUAGE)):
            inputs = self._inputs(mel_frames, prompt_tokens)
            answer(
                self._model,
                inputs,
                self._generation_config(),
                recorder,
                logits_positions=self._setting.logits_positions,
            )
        return recorder.recording()

    def _make(self) -> MossAudioModel:
        asked = self._setting
        sdpa = GROUPED if asked.is_grouped else UNGROUPED
        model = meta_model(
            self._config,
            dtype=getattr(torch, asked.dtype),
            attention="eager" if asked.kernel == "eager" else sdpa,
            encoder_attention=asked.encoder_attention.value,
        )
        model.train(False).requires_grad_(False)  # products fold otherwise where gradients are needed
        model.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
        model.language_model.register_forward_pre_hook(_without_mask, with_kwargs=True)
        if asked.kernel == "math":
            run = model.language_model.forward
            model.language_model.forward = sdpa_kernel(SDPBackend.MATH)(run)
        return model

    def _inputs(self, mel_frames: int, prompt_tokens: int) -> dict[str, torch.Tensor]:
        """Inputs as the processor makes them, log-mel in the type of the model as the engine casts it."""
        with META:
            log_mel = torch.zeros(1, self._config.audio_config.num_mel_bins, mel_frames)
            return {
                "input_ids": torch.zeros(1, prompt_tokens, dtype=torch.int64),
                "attention_mask": torch.ones(1, prompt_tokens, dtype=torch.int64),
                "audio_features": log_mel.to(getattr(torch, self._setting.dtype)),
                "audio_slots": torch.zeros(1, audio_token_count(mel_frames), dtype=torch.int64),
            }

    def _generation_config(self) -> GenerationConfig:
        return generation_config(
            max_tokens=TRACED_TOKENS,
            forced_length=True,
            sampling=self._setting.sampling,
            end_of_answer=[_END_OF_ANSWER],
        )


def model_memory(config: MossAudioConfig, dtype: str) -> ModelMemory:
    """The tensors of a model in this type, in the order of its state dict, from the meta device."""
    model = meta_model(config, dtype=getattr(torch, dtype))
    return ModelMemory(
        tensors=tuple(tensor.nbytes for tensor in model.state_dict().values()),
        buffers_bytes=sum(tensor.nbytes for tensor in model.buffers()),
        shapes=shapes_of(config.to_dict()),
        element_bytes=getattr(torch, dtype).itemsize,
    )


def _without_mask(
    _module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Drop the mask: transformers drops a mask of ones after reading it, and a fake one has no values."""
    return args, {**kwargs, "attention_mask": None}


def _shortened(config: MossAudioConfig, folds: dict[str, Fold], setting: Setting) -> MossAudioConfig:
    values = config.to_dict()
    audio, text = dict(values["audio_config"]), dict(values["language_config"])
    audio["encoder_layers"] = folds[_ENCODER].layers
    audio["deepstack_encoder_layer_indexes"] = list(folds[_ENCODER].special)
    audio["conv_chunksize"] = setting.chunks_at_once or config.audio_config.conv_chunksize
    text["num_hidden_layers"] = folds[_LANGUAGE].layers
    for derived in ("layer_types", "max_window_layers"):  # one entry a layer, and counted in layers
        text.pop(derived, None)
    return MossAudioConfig(
        **{
            **values,
            "audio_config": audio,
            "language_config": text,
            "num_hidden_layers": text["num_hidden_layers"],
            "mlp_positions_at_once": setting.mlp_positions_at_once,
            "hold_audio": setting.hold_audio,
        }
    )
