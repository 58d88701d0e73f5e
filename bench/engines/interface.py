"""What an engine is: it loads a model once, then answers requests, telling an observer where it is."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from bench.measure.observer import Observer
from bench.records.base import Frozen, Sha256
from bench.records.enums import WeightMode
from bench.records.record import Requested, Sampling, Work

if TYPE_CHECKING:
    import torch  # the parent of a run reads this module too, and never needs torch


class ModelSource(Frozen):
    """Where a worker gets the model: a directory, or random weights of a named architecture."""

    name: str
    weight_mode: WeightMode
    directory: Path | None


class ModelFacts(Frozen):
    """What is known of a model before its weights are loaded; bytes are those of the dtype it will run in."""

    config_sha256: Sha256
    parameters: int
    weights_bytes: int
    max_positions: int


@dataclass(frozen=True)
class Request:
    """One generation: mono float32 samples at 16 kHz, and how to answer."""

    samples: NDArray[np.float32]
    prompt: str
    time_markers: bool
    max_tokens: int
    forced_length: bool
    sampling: Sampling
    seed: int

    def shortened(self, max_tokens: int) -> Self:
        """The same request with fewer tokens to answer with."""
        return replace(self, max_tokens=max_tokens)


@dataclass(frozen=True)
class Generation:
    """What came out."""

    token_ids: tuple[int, ...]
    stop_reason: Literal["length", "eos"]
    audio_tokens: int
    prompt_tokens: int
    kv_cache: str


@dataclass(frozen=True)
class EngineSettings:
    """How the loaded model is set up; which kernels and cache it then uses is observed, not stated here."""

    dtype: str
    attention_provider: str
    logits_positions: Literal["all", "last"]
    encoder_chunk_frames: int
    encoder_chunks_at_once: int
    mlp_positions_at_once: int | None
    embeddings: Literal["device", "host"]


class Engine(Protocol):
    """One model on one device."""

    def facts(self, dtype: str) -> ModelFacts:
        """Size of the model in this dtype, and a check that the weights are complete, without loading them.

        Raises:
            WeightsError: the checkpoint is not one of this architecture.
        """

    def load(self, requested: Requested) -> None:
        """Bring the model onto the device, ready to run as requested."""

    def settings(self) -> EngineSettings:
        """How the loaded model is set up."""

    def weights(self) -> "list[torch.Tensor]":
        """Every parameter."""

    def buffers(self) -> "list[torch.Tensor]":
        """Every tensor that the model keeps beside its parameters."""

    def generate(self, request: Request, observer: Observer) -> Generation:
        """Answer one request, with every phase announced to the observer."""

    def work(self, request: Request, generation: Generation) -> Work:
        """Bytes and operations that this generation took, counted from the shapes of the loaded model."""
