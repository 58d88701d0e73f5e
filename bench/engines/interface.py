"""The interface of an engine: it loads a model once, then answers requests, and announces every phase.

Only `EngineSpec` is read by the parent of a run. Everything else belongs to the worker, which opens the
engine. An engine that runs the model in another process has no instruments: the defaults of `OpenEngine`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from bench.engines.support import Surroundings
from bench.measure.clock import Stopwatch
from bench.measure.observer import Observer
from bench.records.base import Bytes, Frozen, Sha256
from bench.records.enums import Attention, Phase, WeightMode
from bench.records.reasons import FlashAttentionBroken, UnsupportedReason
from bench.records.record import (
    Memory,
    MemoryTrace,
    OutOfMemory,
    Requested,
    Sampling,
    SubmoduleKernels,
    Work,
)


class ModelSource(Frozen):
    """Where a worker gets the model: a directory, or random weights of a named architecture."""

    name: str
    weight_mode: WeightMode
    directory: Path | None


class EngineSetup(Frozen):
    """What an engine is opened with."""

    source: ModelSource
    device: Literal["cpu", "cuda"]
    dtype: Literal["bfloat16", "float16", "float32"]
    memory_limit_bytes: Bytes | None = None
    """What an emulated card leaves to the engine; None for the whole device."""


class ModelFacts(Frozen):
    """What is known of a model before its weights are loaded; bytes are those of the dtype it will run in."""

    config_sha256: Sha256
    parameters: int | None
    weights_bytes: int | None
    max_positions: int | None


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


@dataclass(frozen=True, kw_only=True)
class Generation:
    """One answer; None where the engine cannot know."""

    generated_tokens: int
    stop_reason: Literal["length", "eos"]
    audio_tokens: int | None = None
    prompt_tokens: int | None = None
    kv_cache: str | None = None


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """How the loaded model is set up; None where the engine cannot know.

    Which kernels then run is observed, not stated here.
    """

    device: Literal["cpu", "cuda"]
    dtype: str | None = None
    attention_provider: str | None = None
    logits_positions: Literal["all", "last"] | None = None
    encoder_chunk_frames: int | None = None
    encoder_chunks_at_once: int | None = None
    mlp_positions_at_once: int | None = None
    embeddings: Literal["device", "host"] | None = None
    threads: int | None = None


class Engine(Protocol):
    """One model on one device."""

    def load(self, requested: Requested) -> None:
        """Bring the model onto the device, ready to run as requested."""

    def settings(self) -> EngineSettings:
        """How the loaded model is set up."""

    def generate(
        self, request: Request, observer: Observer, say: Callable[[str], None] | None = None
    ) -> Generation:
        """Answer one request, with every phase and token that is known announced to the observer.

        `say` gets the text in pieces as it comes, which may wait for the device.
        """

    def work(self, request: Request, generation: Generation) -> Work | None:
        """Bytes and operations of this generation, from the shapes of the model; None where not known."""


# --- instruments ------------------------------------------------------------------------------------------


class KernelObserver(Observer, AbstractContextManager[object], Protocol):
    """Observes which attention kernels run in one generation, entered as a context around it."""

    def encoder(self) -> SubmoduleKernels:
        """The kernels of the audio encoder."""

    def language_model(self) -> SubmoduleKernels:
        """The kernels of the language model, in prefill and decode."""


@dataclass(frozen=True, slots=True)
class ProfiledMemory:
    """Memory of one cell: peaks of each phase, and the course over one generation; None if not counted."""

    memory: Memory | None = None
    trace: MemoryTrace | None = None


class MemoryProfiler:
    """Memory of a worker, called by the runner of cells in the order of the methods. This one counts nothing.

    `needs_a_pass`: whether `profile` generates once more, since counting takes time.
    """

    needs_a_pass: bool = False

    def begin_load(self) -> None:
        """The model is about to be loaded.

        Raises:
            RuntimeError: its weights alone pass the limit, as the engine's `exhausted` understands it.
        """

    def end_load(self) -> None:
        """The model was loaded; returns once the device has all of it."""

    def begin_cell(self) -> None:
        """Start counting anew."""

    def around(self) -> AbstractContextManager[object]:
        """A context to be entered around every generation."""
        return nullcontext()

    def before_warm_up(self) -> None:
        """Give back what ran before the cell's own shape."""

    def observers(self) -> tuple[Observer, ...]:
        """Observers of the timed repeats, which they do not disturb."""
        return ()

    def profile(self, generate: Callable[[Observer], object]) -> ProfiledMemory:
        """Memory of this cell; `generate` is called where that needs a pass of its own."""
        del generate
        return ProfiledMemory()

    def end_cell(self) -> None:
        """Give back what the cell held, before the next one is watched from outside."""

    def reserved_bytes(self) -> int | None:
        """Bytes that a caching allocator holds now; None without one."""
        return None


Exhausted = Callable[[RuntimeError | MemoryError, Phase | None], OutOfMemory | None]
"""The outcome, where an error in this phase means that memory ran out; None for any other error."""


def never_exhausted(error: RuntimeError | MemoryError, phase: Phase | None) -> None:
    """Take no error for memory that ran out."""


@dataclass(frozen=True, kw_only=True)
class OpenEngine:
    """An engine on its device with its instruments, and the versions of the libraries that it uses."""

    engine: Engine
    facts: ModelFacts
    torch: str | None = None
    transformers: str | None = None
    flash_attention_problem: FlashAttentionBroken | None = None
    stopwatch: Callable[[], Stopwatch] = Stopwatch
    memory: MemoryProfiler = field(default_factory=MemoryProfiler)
    kernels: Callable[[Attention], KernelObserver] | None = None
    exhausted: Exhausted = never_exhausted


@dataclass(frozen=True, kw_only=True)
class EngineSpec:
    """An entry of the registry; importing it imports nothing that only a worker needs.

    Attributes:
        open: called in the worker. Raises BenchError for what a person can mend: no device, no weights.
        unsupported: why a cell cannot run, known before anything is loaded; None if it can.
        uses_torch: whether the installed torch has to be built for the device.
        reads_weights: whether the files of the weights have to be on this machine.
        limits_memory: whether it keeps within `memory_limit_bytes`, as an emulated card needs.
    """

    open: Callable[[EngineSetup], OpenEngine]
    unsupported: Callable[[Requested, Surroundings], UnsupportedReason | None]
    uses_torch: bool
    reads_weights: bool
    limits_memory: bool
