"""The interface of an engine, which loads a model once, then answers requests and announces each phase.

The parent of a run reads `EngineSpec` only; the worker opens the engine and uses the rest. An engine that
runs the model in another process has no instruments: the defaults of `OpenEngine`.
"""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Protocol, Self
from urllib.parse import quote_from_bytes, unquote_to_bytes

from pydantic import PlainSerializer, PlainValidator

from bench.engines.support import SupportFacts
from bench.measure.clock import Stopwatch
from bench.measure.observer import Observer
from bench.records.base import Bytes, Frozen, Sha256
from bench.records.cell import Memory, MemoryTrace, OutOfMemory, Requested, Sampling, SubmoduleKernels, Work
from bench.records.enums import Attention, Phase, SdpaGrouping, SdpaKernel, WeightMode
from bench.records.reasons import FlashAttentionBroken, UnsupportedReason

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def _as_text(path: Path) -> str:
    return quote_from_bytes(os.fsencode(path))


def _as_path(value: str | Path) -> Path:
    return value if isinstance(value, Path) else Path(os.fsdecode(unquote_to_bytes(value)))


AnyPath = Annotated[Path, PlainValidator(_as_path), PlainSerializer(_as_text, return_type=str)]
"""A path in a message: its bytes, percent-encoded. A file name need not be UTF-8, and JSON has to be."""


class ModelSource(Frozen):
    """The source of a model: a directory, or random weights of a named architecture."""

    name: str
    weight_mode: WeightMode
    directory: AnyPath | None


class EngineSetup(Frozen):
    """The arguments with which an engine is opened."""

    source: ModelSource
    device: Literal["cpu", "cuda"]
    dtype: Literal["bfloat16", "float16", "float32"]
    memory_limit_bytes: Bytes | None = None
    """The budget of the engine on an emulated card; None for the whole device."""
    flash_attention: bool = False
    """Whether FlashAttention 2 is requested, and tried before the first generation."""


class ModelFacts(Frozen):
    """Facts of a model before its weights are loaded. Bytes are those of the dtype in which it runs."""

    config_sha256: Sha256
    parameters: int | None
    weights_bytes: int | None
    max_positions: int | None


@dataclass(frozen=True)
class Request:
    """A request for one generation. `samples` are mono at 16 kHz."""

    samples: "NDArray[np.float32]"
    prompt: str
    time_markers: bool
    max_tokens: int
    forced_length: bool
    sampling: Sampling
    seed: int

    def shortened(self, max_tokens: int) -> Self:
        """Return this request with another length of the answer."""
        return replace(self, max_tokens=max_tokens)


@dataclass(frozen=True, kw_only=True)
class Generation:
    """One answer. None is unknown to the engine."""

    generated_tokens: int
    stop_reason: Literal["length", "eos"]
    audio_tokens: int | None = None
    prompt_tokens: int | None = None
    kv_cache: str | None = None
    token_ids: tuple[int, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """Settings of the loaded model. None is unknown to the engine. Kernels are observed instead."""

    device: Literal["cpu", "cuda"]
    dtype: str | None = None
    attention_provider: str | None = None
    logits_positions: Literal["all", "last"] | None = None
    encoder_chunk_frames: int | None = None
    encoder_chunks_at_once: int | None = None
    mlp_positions_at_once: int | None = None
    embeddings: Literal["device", "host"] | None = None
    sdpa_grouping: SdpaGrouping | None = None
    threads: int | None = None


class Engine(Protocol):
    """One model on one device."""

    def load(self, requested: Requested) -> None:
        """Bring the model onto the device, ready to run as requested."""

    def settings(self) -> EngineSettings:
        """Return the settings of the loaded model."""

    def generate(
        self, request: Request, observer: Observer, say: Callable[[str], None] | None = None
    ) -> Generation:
        """Answer one request; announce the known phases and tokens to the observer.

        `say` receives the text in pieces, which may wait for the device.
        """

    def work(self, request: Request, generation: Generation) -> Work | None:
        """Return bytes and operations of a generation, from the model's shapes; None if unknown."""


# --- instruments ------------------------------------------------------------------------------------------


class KernelObserver(Observer, AbstractContextManager[object], Protocol):
    """Observes the attention kernels of one generation, as a context around it."""

    def encoder(self) -> SubmoduleKernels:
        """Return the kernels of the audio encoder."""

    def language_model(self) -> SubmoduleKernels:
        """Return the kernels of the language model, in prefill and decode."""


@dataclass(frozen=True, slots=True)
class ProfiledMemory:
    """Memory of one cell: peaks of each phase, and a trace of one generation. None is not counted."""

    memory: Memory | None = None
    trace: MemoryTrace | None = None


class MemoryProfiler:
    """Counts the memory of a worker; this base class counts nothing.

    Methods are called in the order in which they are defined. With `needs_a_pass`, `profile` generates once
    more, since counting is slow.
    """

    needs_a_pass: bool = False

    def begin_load(self) -> None:
        """Prepare for the loading of the model.

        Raises:
            RuntimeError: the weights alone exceed the limit; `exhausted` turns it into an outcome.
        """

    def end_load(self) -> None:
        """Wait until the whole model is on the device."""

    def begin_cell(self) -> None:
        """Start counting anew."""

    def around(self) -> AbstractContextManager[object]:
        """Return the context of a generation."""
        return nullcontext()

    def before_warm_up(self) -> None:
        """Release cached memory of earlier shapes."""

    def observers(self) -> tuple[Observer, ...]:
        """Return observers of the timed repeats, which do not slow them down."""
        return ()

    def profile(self, generate: Callable[[Observer], object]) -> ProfiledMemory:
        """Return the memory of the cell; call `generate` if that needs a pass."""
        del generate
        return ProfiledMemory()

    def end_cell(self) -> None:
        """Release cached memory of the cell, before the driver watches the next one."""

    def reserved_bytes(self) -> int | None:
        """Return the bytes that a caching allocator holds now; None without one."""
        return None


RanOutOfMemory = Callable[[RuntimeError | MemoryError, Phase | None], OutOfMemory | None]
"""Returns the outcome for an error in this phase that means exhausted memory; None for other errors."""


def never_exhausted(error: RuntimeError | MemoryError, phase: Phase | None) -> None:
    """Return None: no error means exhausted memory."""


@dataclass(frozen=True, kw_only=True)
class OpenEngine:
    """An engine on its device with its instruments, and the versions of the libraries that it uses."""

    engine: Engine
    facts: ModelFacts
    torch: str | None = None
    transformers: str | None = None
    flash_attention_problem: FlashAttentionBroken | None = None
    sdpa_kernel: SdpaKernel | None = None
    has_flash_kernels: bool | None = None
    stopwatch: Callable[[], Stopwatch] = Stopwatch
    memory: MemoryProfiler = field(default_factory=MemoryProfiler)
    kernels: Callable[[Attention], KernelObserver] | None = None
    exhausted: RanOutOfMemory = never_exhausted


@dataclass(frozen=True, kw_only=True)
class EngineSpec:
    """An entry of the registry; importing it imports nothing that only a worker needs.

    Attributes:
        open: opens the engine in the worker. Raises BenchError for a missing device or missing weights.
        unsupported: returns the reason why a cell cannot run, before loading; None if it can.
        uses_torch: the installed torch has to be built for the device.
        reads_weights: the files of the weights have to be on this machine.
        limits_memory: the engine keeps within `memory_limit_bytes`, as an emulated card requires.
        packages: the distributions that have to be installed.
    """

    open: Callable[[EngineSetup], OpenEngine]
    unsupported: Callable[[Requested, SupportFacts], UnsupportedReason | None]
    uses_torch: bool
    reads_weights: bool
    limits_memory: bool
    packages: tuple[str, ...] = ()
