"""One cell of a record: what was asked, what really ran, and what came of it.

Sizes are integers in bytes (`_bytes`), times seconds (`_s`), power watts (`_w`), energy joules (`_j`).
Not available is `None`, never 0. `docs/record.md` explains each name to those who read the JSON.
"""

from typing import Annotated, Literal

from pydantic import Field

from bench.records.base import Bytes, EngineName, Frozen, Seconds, Sha256, WholeBytes
from bench.records.card import DeviceMemory, Power
from bench.records.enums import (
    Attention,
    AttentionKernel,
    EncoderAttention,
    Phase,
    Profile,
    SdpaGrouping,
    WeightMode,
)
from bench.records.metrics import Summary
from bench.records.prediction import Envelope
from bench.records.reasons import (
    FailedReason,
    OutOfMemoryReason,
    SkippedReason,
    TimeoutReason,
    UnsupportedReason,
)

# --- requests ---------------------------------------------------------------------------------------------


class Sampling(Frozen):
    """How the next token is chosen. Upstream samples with temperature 1.0, top_p 1.0, top_k 50."""

    do_sample: bool
    temperature: float | None
    top_p: float | None
    top_k: int | None


class Requested(Frozen):
    """Everything that identifies a cell. Its hash is the cell's id, so every field here counts."""

    model: str = Field(description="name of the model, such as MOSS-Audio-4B-Instruct")
    weight_mode: WeightMode
    engine: EngineName
    profile: Profile
    dtype: Literal["bfloat16", "float16", "float32"]
    attention: Attention
    encoder_attention: EncoderAttention
    clip_seconds: float = Field(gt=0)
    clip_source_sha256: Sha256 = Field(
        description="of the mono 16 kHz float32 samples that are cut or looped to length"
    )
    max_tokens: int = Field(gt=0)
    prompt: str
    time_markers: bool
    sampling: Sampling
    seed: int = Field(ge=0)


# --- what really ran --------------------------------------------------------------------------------------


class SubmoduleKernels(Frozen):
    """The attention kernels that the dispatcher ran in one submodule during one observed pass."""

    attention: str = Field(description="eager, sdpa or flash_attention_2, read off the operators that ran")
    operators: tuple[str, ...] = Field(description="names of those operators, such as aten::_softmax")
    kernel: AttentionKernel | None = Field(
        default=None, description="null: none or several, not observable, or a record of an older bench"
    )


class Effective(Frozen):
    """Settings in force while the cell ran, as far as its engine can report them.

    Every engine states the device, the sampling and the clip. The rest is read off the loaded model and one
    observed pass; null for an engine that runs the model in another process.
    """

    device: str = Field(description="cpu or cuda")
    dtype: str | None
    language_model: SubmoduleKernels | None
    audio_encoder: SubmoduleKernels | None
    attention_provider: str | None = Field(description="the package that holds the kernels and its version")
    sampling: Sampling
    logits_positions: Literal["all", "last"] | None
    encoder_chunk_frames: int | None
    encoder_chunks_at_once: int | None
    mlp_positions_at_once: int | None = Field(
        default=None, description="of the prompt, in a feed-forward layer; null: all of them"
    )
    embeddings: Literal["device", "host"] | None = Field(
        default="device", description="where the table of text embeddings lies"
    )
    sdpa_grouping: SdpaGrouping | None = Field(
        default=None, description="of the language model; null: no SDPA, or a record of an older bench"
    )
    kv_cache: str | None
    clip_sha256: Sha256 = Field(description="of the samples that the model heard")
    clip_samples: int
    audio_tokens: int | None
    prompt_tokens: int | None = Field(
        description="length of the prefill, audio tokens and time markers included"
    )
    threads: int | None = Field(description="intra-op threads of torch on the CPU, else null")


# --- what came of it --------------------------------------------------------------------------------------
# `reason` is the sentence of `reason_code`, which is null in records of schema 1.0.


class Measured(Frozen):
    """The cell ran; its figures are in `repeats`, `summary` and `memory`."""

    status: Literal["measured"] = "measured"


class Predicted(Frozen):
    """The cell was not run; its figures are in `envelope`."""

    status: Literal["predicted"] = "predicted"


class OutOfMemory(Frozen):
    """The device, or the machine, had too little memory: a result."""

    status: Literal["out_of_memory"] = "out_of_memory"
    reason: str
    reason_code: OutOfMemoryReason | None = None
    phase: Phase | None = None
    requested_bytes: Bytes | None = None
    free_bytes: Bytes | None = None
    reserved_bytes: Bytes | None = None


class Unsupported(Frozen):
    """Known before loading that this cannot run here: a result."""

    status: Literal["unsupported"] = "unsupported"
    reason: str
    reason_code: UnsupportedReason | None = None


class Failed(Frozen):
    """The worker raised, or was killed."""

    status: Literal["failed"] = "failed"
    reason: str
    reason_code: FailedReason | None = None
    phase: Phase | None = None
    error_tail: tuple[str, ...] = Field(
        default=(), description="last lines of the error, scrubbed of paths and names"
    )


class Timeout(Frozen):
    """The worker passed its time limit and was replaced."""

    status: Literal["timeout"] = "timeout"
    reason: str
    reason_code: TimeoutReason | None = None
    phase: Phase | None = None
    limit_s: Seconds
    error_tail: tuple[str, ...] = ()


class Skipped(Frozen):
    """Not run. `pruned`: a smaller cell ran out of memory. `interrupted`: the run ended; resume runs it.

    The time budget of a run ends it too: `reason_code` says which.
    """

    status: Literal["skipped"] = "skipped"
    reason: str
    reason_code: SkippedReason | None = None
    cause: Literal["pruned", "interrupted"]


Outcome = Annotated[
    Measured | Predicted | OutOfMemory | Unsupported | Failed | Timeout | Skipped,
    Field(discriminator="status"),
]


class Repeat(Frozen):
    """One timed generation, raw. All times start at the prepared waveform (mono, 16 kHz, on the host).

    Null where the engine does not announce the phase, or hands on tokens in chunks.
    """

    preprocess_s: Seconds | None = Field(description="log-mel, prompt and what generate sets up, on the host")
    encode_s: Seconds | None = Field(description="audio encoder, adapter and DeepStack mergers")
    time_to_first_token_s: Seconds
    decode_tokens_per_s: float | None = Field(description="(n - 1) / (t_last - t_first); null for one token")
    latency_s: Seconds
    real_time_factor: Seconds = Field(description="latency / clip seconds: below 1 is faster than the sound")
    generated_tokens: int
    stop_reason: Literal["length", "eos"]
    token_times_s: tuple[Seconds, ...] | None = Field(description="when each token was there")
    host_time_to_first_token_s: Seconds | None = Field(
        default=None, description="on the host's clock; the device has its own; null on a CPU"
    )
    host_latency_s: Seconds | None = Field(
        default=None, description="on the host's clock, up to the synchronisation; null on a CPU"
    )


class PhaseMemory(Frozen):
    """Memory over one phase. `allocated` counts live tensor bytes of the framework, weights included."""

    allocated_peak_bytes: Bytes | None = None
    allocated_end_bytes: Bytes | None = None
    reserved_peak_bytes: Bytes | None = None
    resident_peak_bytes: Bytes | None = None
    resident_end_bytes: Bytes | None = None


class Memory(Frozen):
    """Memory of one cell, from a pass of its own where watching would disturb the timed ones."""

    allocated_source: str = Field(description="allocation tracker (CPU) or CUDA caching allocator")
    resident_source: str | None = Field(description="how the resident peak was read; null where it cannot be")
    resident_baseline_bytes: Bytes | None = Field(description="the worker before it loaded the model")
    weights_bytes: Bytes
    allocation_retries: int | None = Field(
        default=None, description="how often the CUDA allocator had to give back its cache and ask again"
    )
    phases: dict[Phase, PhaseMemory]


class MemoryTrace(Frozen):
    """Memory over one generation, thinned: of each segment of time the least and the most, so that no peak
    that was seen is lost.
    """

    what: Literal["allocated", "process", "device"] = Field(
        description="live tensor bytes of the framework, the worker as the driver sees it, or the whole card"
    )
    source: str = Field(description="the allocation tracker, or which call of the driver reported it")
    times_s: tuple[Seconds, ...] = Field(description="begin of each segment, since the generation began")
    low_bytes: tuple[Bytes, ...] = Field(description="least in each segment")
    high_bytes: tuple[Bytes, ...] = Field(description="most in each segment")
    end_s: Seconds = Field(description="end of the generation")
    phases: dict[Phase, Seconds] = Field(description="when each phase began")


class Work(Frozen):
    """Bytes and operations of one generation, counted from the shapes of the architecture."""

    decode_bytes_per_token: WholeBytes = Field(
        description="weights and KV cache that one decoded token reads, mean over the answer",
    )
    encode_operations: float = Field(ge=0, description="a multiply-add counts as two")
    prefill_operations: float = Field(ge=0, description="a multiply-add counts as two")


class Attempt(Frozen):
    """An attempt at a cell that failed or timed out, before the attempt of which the result is."""

    outcome: Annotated[Failed | Timeout, Field(discriminator="status")]
    device_memory: DeviceMemory | None = None


class CellResult(Frozen):
    """One point of the suite and its result."""

    cell_id: str = Field(pattern=r"^[0-9a-f]{16}$")
    requested: Requested
    effective: Effective | None = None
    outcome: Outcome
    cold: Repeat | None = Field(default=None, description="first generation of a worker after loading")
    repeats: tuple[Repeat, ...] = ()
    summary: Summary | None = None
    memory: Memory | None = None
    memory_trace: MemoryTrace | None = Field(default=None, description="null where nobody watched")
    device_memory: DeviceMemory | None = None
    power: Power | None = None
    work: Work | None = None
    envelope: Envelope | None = None
    earlier_attempts: tuple[Attempt, ...] = Field(
        default=(), description="attempts that failed, the oldest first; `--retry-failed` ran the cell again"
    )

    @property
    def has_failed(self) -> bool:
        """Whether the cell failed or timed out: for a reason other than memory or support."""
        return isinstance(self.outcome, Failed | Timeout)
