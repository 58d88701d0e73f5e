"""The record of one run, as frozen pydantic models: the vocabulary that every other part shares.

Sizes are integers in bytes (`_bytes`), times seconds (`_s`), power watts (`_w`), energy joules (`_j`).
Not available is `None`, never 0. `docs/record.md` explains each name to those who read the JSON.
"""

from typing import Annotated, Final, Literal

from pydantic import Field, JsonValue, WithJsonSchema

from bench.records.base import Bytes, EngineName, Frozen, PathName, Seconds, Sha256, Slug, Utc, WholeBytes
from bench.records.card import DeviceMemory, DeviceState, Emulation, Power
from bench.records.challenge import IssuedChallenge
from bench.records.enums import (
    Attention,
    AttentionKernel,
    EncoderAttention,
    Phase,
    Profile,
    Provenance,
    SdpaGrouping,
    WeightMode,
)
from bench.records.metrics import Summary
from bench.records.prediction import Derivation, Envelope
from bench.records.reasons import (
    FailedReason,
    OutOfMemoryReason,
    SkippedReason,
    TimeoutReason,
    UnsupportedReason,
)

SCHEMA_VERSION: Final = "1.1"
"""Schema of the records that are written."""
READ_VERSIONS: Final = ("1.0", SCHEMA_VERSION)
"""Schemas of the records that are read. A field that 1.0 lacks is null in a record of 1.0."""

ContentHash = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


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


# --- freshness --------------------------------------------------------------------------------------------

TokenIds = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(max_length=1024)]


class CheckedAnswer(Frozen):
    """The answer in another record, to whose challenge this run answers again."""

    content_hash: ContentHash = Field(description="of that record")
    token_ids: TokenIds


class ChallengeRequest(Frozen):
    """A challenge to answer."""

    issued: IssuedChallenge
    checks: CheckedAnswer | None = Field(
        default=None, description="the record whose answer this run checks; null: the run asked the site"
    )


class AnsweredChallenge(Frozen):
    """The challenge cell and its answer."""

    cell: CellResult = Field(description="its figures are in nothing else; `repeats` is empty")
    token_ids: TokenIds | None = Field(description="of the answer; null where the cell did not run")


class Challenge(AnsweredChallenge, ChallengeRequest):
    """The challenge of a run, the excerpt of the shipped speech that follows from it, and the answer."""

    excerpt_starts: tuple[int, ...] = Field(
        max_length=64, description="first sample of each piece; docs/record.md has the formula"
    )


# --- the record -------------------------------------------------------------------------------------------


class SuiteInfo(Frozen):
    """The suite as it was run. `overrides` names the keys that the command line changed; `sha256` covers
    `definition`, which holds them too.
    """

    name: Slug
    version: str
    origin: Literal["shipped", "own"] | None = Field(
        default=None, description="own: a file that is not the suite that bench ships under this name"
    )
    sha256: Sha256 = Field(description="over the RFC 8785 form of the definition")
    overrides: tuple[str, ...] = ()
    definition: dict[str, JsonValue]


class WeightFile(Frozen):
    """One file of weights as found on disk; `sha256` was computed here, not taken from the Hub."""

    name: str
    size_bytes: Bytes
    sha256: Sha256


class ModelInfo(Frozen):
    """The model and its weight files."""

    name: PathName
    repo: str | None = Field(description="repository on the Hub; null for a local, random or tiny model")
    revision: str | None = Field(description="resolved commit on the Hub")
    weight_mode: WeightMode
    config_sha256: Sha256
    parameters: int | None
    weights_bytes: Bytes | None
    files: tuple[WeightFile, ...] = ()


class DeviceInfo(Frozen):
    """The device as found on this machine."""

    kind: Literal["cpu", "cuda"]
    slug: Slug
    name: str
    memory_total_bytes: Bytes | None
    compute_capability: str | None = None
    driver: str | None = None
    catalogued: bool | None = Field(default=None, description="whether the catalog has it; null for a CPU")
    memory_bandwidth_bytes_per_s: float | None = Field(default=None, description="from the catalog")
    bf16_operations_per_s: float | None = Field(
        default=None, description="from the catalog: dense, FP32 accumulate"
    )


class Environment(Frozen):
    """Software and host. Holds no host name, user name, path or serial number."""

    bench_version: str
    bench_commit: str | None
    bench_dirty: bool | None
    python: str
    torch: str | None = Field(description="as the worker imported it; null for an engine without it")
    transformers: str | None = Field(description="as the worker imported it; null for an engine without it")
    has_flash_kernels: bool | None = Field(
        default=None,
        description="whether this torch contains flash kernels of SDPA for cards; null: no torch, not known",
    )
    packages: dict[str, str]
    variables: dict[str, str] = Field(
        default_factory=dict, description="environment variables that change memory or speed, where set"
    )
    os: str
    kernel: str
    cpu: str | None
    cpu_cores: int | None
    ram_bytes: Bytes | None


class Record(Frozen):
    """The JSON document of one run."""

    schema_version: Annotated[
        Literal["1.0", "1.1"], WithJsonSchema({"const": SCHEMA_VERSION, "type": "string"})
    ] = Field(description="1.0 only in a record that was read from such a file")
    record_id: str = Field(pattern=r"^[0-9a-f]{12}$")
    content_hash: ContentHash = Field(description="over the RFC 8785 form of all else")
    created_at: Utc
    provenance: Provenance
    suite: SuiteInfo
    model: ModelInfo
    device: DeviceInfo
    environment: Environment
    machine_key: str | None
    device_state: DeviceState | None = Field(
        default=None, description="the card as it was found, before the first CUDA call of the run"
    )
    emulation: Emulation | None = Field(
        default=None, description="the smaller card that this device emulated"
    )
    frontier_step_s: Seconds | None = Field(
        default=None, description="clip lengths were chosen by bisection to this step, not by the suite"
    )
    derivation: Derivation | None = Field(
        default=None, description="how a derived record came about; null where something ran"
    )
    challenge: Challenge | None = Field(
        default=None,
        exclude_if=lambda challenge: challenge is None,
        description="a nonce that was new when the run began, and its answer; left out without one",
    )
    cells: tuple[CellResult, ...]

    @property
    def failed(self) -> tuple[CellResult, ...]:
        """The cells that failed or timed out, that of the challenge included."""
        challenged = () if self.challenge is None else (self.challenge.cell,)
        return tuple(cell for cell in (*self.cells, *challenged) if cell.has_failed)
