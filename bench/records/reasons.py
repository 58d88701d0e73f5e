"""Why a cell has the outcome that it has: one frozen type for each reason, with its numbers.

`bench.wording.outcomes` makes the sentence of each. Bytes, seconds and names are as in the record.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bench.records.base import Bytes, Frozen, Seconds
from bench.records.enums import Phase
from bench.text import clean

ForeignText = Annotated[str, AfterValidator(clean)]
"""Text that others wrote (an exception, a driver, a file), in one line that is safe to show."""


class CellShape(Frozen):
    """The size of a cell: its clip and the tokens to answer."""

    clip_seconds: Seconds
    max_tokens: int


# --- unsupported ------------------------------------------------------------------------------------------


class FlashAttentionNeedsGpu(Frozen):
    """FlashAttention 2 was requested on a CPU."""

    code: Literal["flash_attention_needs_gpu"] = "flash_attention_needs_gpu"


class FlashAttentionNeedsNewerGpu(Frozen):
    """FlashAttention 2 has no kernels for the card."""

    code: Literal["flash_attention_needs_newer_gpu"] = "flash_attention_needs_newer_gpu"
    needed: float = Field(description="compute capability")
    compute_capability: ForeignText = Field(description="of the card, as the driver reports it")


class FlashAttentionNeeds16Bits(Frozen):
    """FlashAttention 2 was requested in float32."""

    code: Literal["flash_attention_needs_16_bits"] = "flash_attention_needs_16_bits"


class FlashAttentionNotInstalled(Frozen):
    """The package flash-attn is missing."""

    code: Literal["flash_attention_not_installed"] = "flash_attention_not_installed"


class FlashAttentionBroken(Frozen):
    """The installed flash-attn failed when a worker tried it on the card."""

    code: Literal["flash_attention_broken"] = "flash_attention_broken"
    version: ForeignText | None = Field(description="of flash-attn, as its package states it")
    failed_at: Literal["import", "run", "crash"] = Field(description="crash: it ended the process")
    error: ForeignText = Field(description="first line of the exception, or the end of the process, scrubbed")


class Bfloat16NeedsNewerGpu(Frozen):
    """The card has no arithmetic in bfloat16."""

    code: Literal["bfloat16_needs_newer_gpu"] = "bfloat16_needs_newer_gpu"
    needed: float = Field(description="compute capability")
    compute_capability: ForeignText = Field(description="of the card, as the driver reports it")


class BeyondContext(Frozen):
    """Clip and answer are longer than the context of the model."""

    code: Literal["beyond_context"] = "beyond_context"
    max_positions: int
    max_tokens: int
    longest_clip_s: int = Field(description="longest clip that leaves the positions for the answer")


UnsupportedReason = Annotated[
    FlashAttentionNeedsGpu
    | FlashAttentionNeedsNewerGpu
    | FlashAttentionNeeds16Bits
    | FlashAttentionNotInstalled
    | FlashAttentionBroken
    | Bfloat16NeedsNewerGpu
    | BeyondContext,
    Field(discriminator="code"),
]


# --- out of memory ----------------------------------------------------------------------------------------


class DeviceRefused(Frozen):
    """The framework, or a library of the device, found no memory."""

    code: Literal["device_refused"] = "device_refused"
    error: ForeignText = Field(description="first line of the exception, scrubbed")


class HostRefused(Frozen):
    """The machine refused memory to a cell that computes on the CPU."""

    code: Literal["host_refused"] = "host_refused"
    requested_bytes: Bytes | None
    phase: Phase | None = Field(description="null before the first phase")


class EmulatedCardFull(Frozen):
    """The limit of an emulated card was passed."""

    code: Literal["emulated_card_full"] = "emulated_card_full"
    requested_bytes: Bytes
    free_bytes: Bytes
    limit_bytes: Bytes = Field(description="what the emulated card leaves to the framework")


class NoContextFits(Frozen):
    """Other programs fill the card so far that a new worker gets no CUDA context."""

    code: Literal["no_context_fits"] = "no_context_fits"


OutOfMemoryReason = Annotated[
    DeviceRefused | HostRefused | EmulatedCardFull | NoContextFits, Field(discriminator="code")
]


# --- failed, timeout --------------------------------------------------------------------------------------


class WorkerStep(Frozen):
    """The step of a worker; `number` of `total` where it is one of several."""

    name: Literal["load", "cold", "warm-up", "repeat", "memory", "report"]
    number: int = 1
    total: int = 1


class NoNewWorker(Frozen):
    """A worker had to be replaced, and the new one did not start."""

    code: Literal["no_new_worker"] = "no_new_worker"
    error: ForeignText = Field(description="text of the exception, scrubbed")


class NotRecordable(Frozen):
    """The cell ran, and JSON cannot hold its figures: the rest of the record must not be lost with them."""

    code: Literal["not_recordable"] = "not_recordable"
    error: ForeignText = Field(description="the figure, and what is wrong with it")


class CardLost(Frozen):
    """The driver stopped answering before the cell."""

    code: Literal["card_lost"] = "card_lost"
    error: ForeignText = Field(description="what the driver said")


class WorkerRaised(Frozen):
    """The worker ended with an exception."""

    code: Literal["worker_raised"] = "worker_raised"
    error: ForeignText = Field(description="line of the traceback that names the exception, scrubbed")
    during: WorkerStep | None = Field(description="null before the first step")


class WorkerExited(Frozen):
    """The worker ended without an exception."""

    code: Literal["worker_exited"] = "worker_exited"
    exit_status: int
    during: WorkerStep | None = Field(description="null before the first step")


class WorkerKilled(Frozen):
    """A signal ended the worker."""

    code: Literal["worker_killed"] = "worker_killed"
    signal: str = Field(pattern=r"^SIG[A-Z0-9_+]+$")
    during: WorkerStep | None = Field(description="null before the first step")


FailedReason = Annotated[
    NoNewWorker | NotRecordable | CardLost | WorkerRaised | WorkerExited | WorkerKilled,
    Field(discriminator="code"),
]


class TimeLimitPassed(Frozen):
    """The worker was not done at the time limit, and was replaced."""

    code: Literal["time_limit_passed"] = "time_limit_passed"
    limit_s: Seconds
    during: WorkerStep | None = Field(description="null before the first step")


TimeoutReason = TimeLimitPassed
"""The only reason; becomes a union with the second one."""


# --- skipped ----------------------------------------------------------------------------------------------


class SmallerRanOut(Frozen):
    """A cell that needs less of everything ran out of memory."""

    code: Literal["smaller_ran_out"] = "smaller_ran_out"
    smaller: CellShape


class FewerTokensDidNotFit(Frozen):
    """The same clip did not fit with fewer tokens."""

    code: Literal["fewer_tokens_did_not_fit"] = "fewer_tokens_did_not_fit"
    smaller: CellShape


class RunInterrupted(Frozen):
    """The run ended before the cell."""

    code: Literal["run_interrupted"] = "run_interrupted"


class TimeBudgetUsed(Frozen):
    """The run ended before the cell, at the time budget that its options set."""

    code: Literal["time_budget_used"] = "time_budget_used"
    budget_s: Seconds


SkippedReason = Annotated[
    SmallerRanOut | FewerTokensDidNotFit | RunInterrupted | TimeBudgetUsed, Field(discriminator="code")
]


OutcomeReason = Annotated[
    UnsupportedReason | OutOfMemoryReason | FailedReason | TimeoutReason | SkippedReason,
    Field(discriminator="code"),
]
