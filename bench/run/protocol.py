"""The messages of parent and worker: one JSON object a line, in both directions.

Parent to worker: one `Setup`, then a `Job` per cell. Worker to parent: `Hello` or `Refused` once, then per
job any number of `Step`s and one `Finished` or `RanOutOfMemory`. A worker that dies sends nothing: the
parent has its exit status and the end of its standard error.
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bench.engines.interface import AnyPath, EngineSetup, ModelFacts
from bench.records.base import EngineName, Frozen
from bench.records.cell import Effective, Memory, MemoryTrace, OutOfMemory, Repeat, Requested, Work
from bench.records.enums import SdpaKernel
from bench.records.reasons import FlashAttentionBroken, WorkerStep
from bench.suite.suite import Measure


class Setup(EngineSetup):
    """The first line to a worker: the engine, its setup, and the clip."""

    engine: EngineName
    gpu_uuid: str | None = Field(default=None, description="the one GPU that the worker may see")
    audio: AnyPath | None = Field(description="the user's own clip; null for the shipped speech")


class Job(Frozen):
    """One cell to measure."""

    requested: Requested
    measure: Measure
    nonce: str | None = Field(default=None, description="of a challenge: its excerpt is answered once")


class Hello(Frozen):
    """The worker is ready. The model is not loaded yet."""

    kind: Literal["hello"] = "hello"
    pid: int = Field(description="of the process that uses the device, as that process sees it")
    model: ModelFacts
    torch: str | None
    transformers: str | None
    flash_attention_problem: FlashAttentionBroken | None = Field(
        default=None, description="why the installed flash-attn cannot compute on this card"
    )
    sdpa_kernel: SdpaKernel | None = Field(default=None, description="null where the engine does not say")
    has_flash_kernels: bool | None = Field(
        default=None, description="whether this torch has them for cards; null where it does not say"
    )


class Refused(Frozen):
    """The worker cannot start for a reason that the user can fix."""

    kind: Literal["refused"] = "refused"
    message: str
    hint: str | None
    exit_code: int
    out_of_memory: bool = Field(default=False, description="the card has no room for even a CUDA context")


class Step(WorkerStep):
    """A step that the worker begins."""

    kind: Literal["step"] = "step"


class Span(Frozen):
    """One timed repeat on the host's monotonic clock (`time.perf_counter`, the same in every process)."""

    begin_s: float
    end_s: float


class Finished(Frozen):
    """The cell was measured.

    `spans` has one entry per repeat; of a challenge there is none. `reserved_bytes` is held by the CUDA
    allocator now, while the worker is idle.
    """

    kind: Literal["finished"] = "finished"
    effective: Effective
    work: Work | None
    spans: tuple[Span, ...]
    reserved_bytes: int | None
    load_s: float | None
    cold: Repeat | None
    repeats: tuple[Repeat, ...]
    memory: Memory | None
    memory_trace: MemoryTrace | None = None
    token_ids: tuple[int, ...] | None = Field(default=None, description="the answer to a challenge")


class RanOutOfMemory(Frozen):
    """The cell ran out of memory."""

    kind: Literal["exhausted"] = "exhausted"
    outcome: OutOfMemory


Event = Hello | Refused | Step | Finished | RanOutOfMemory
EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])
