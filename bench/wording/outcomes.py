"""Outcomes from typed reasons, and the sentence of each: code and sentence are made together here."""

from collections.abc import Iterator
from typing import assert_never

from bench import units
from bench.records import reasons
from bench.records.cell import (
    Failed,
    Measured,
    Outcome,
    OutOfMemory,
    Predicted,
    Skipped,
    Timeout,
    Unsupported,
)
from bench.records.enums import Phase
from bench.text import clean
from bench.wording import phrases

# --- outcomes, each with its code and its sentence --------------------------------------------------------


def unsupported(why: reasons.UnsupportedReason) -> Unsupported:
    """The outcome of a cell that cannot run here."""
    return Unsupported(reason=reason(why), reason_code=why)


def out_of_memory(
    why: reasons.OutOfMemoryReason,
    *,
    phase: Phase | None = None,
    requested_bytes: int | None = None,
    free_bytes: int | None = None,
    reserved_bytes: int | None = None,
) -> OutOfMemory:
    """The outcome of a cell for which there was too little memory."""
    return OutOfMemory(
        reason=reason(why),
        reason_code=why,
        phase=phase,
        requested_bytes=requested_bytes,
        free_bytes=free_bytes,
        reserved_bytes=reserved_bytes,
    )


def failed(
    why: reasons.FailedReason, *, phase: Phase | None = None, error_tail: tuple[str, ...] = ()
) -> Failed:
    """The outcome of a cell whose worker failed."""
    return Failed(reason=reason(why), reason_code=why, phase=phase, error_tail=error_tail)


def timeout(why: reasons.TimeoutReason, *, error_tail: tuple[str, ...] = ()) -> Timeout:
    """The outcome of a cell that took too long."""
    return Timeout(reason=reason(why), reason_code=why, limit_s=why.limit_s, error_tail=error_tail)


def skipped(why: reasons.SkippedReason) -> Skipped:
    """The outcome of a cell that was not run."""
    interrupted = isinstance(why, reasons.RunInterrupted | reasons.TimeBudgetUsed)
    return Skipped(reason=reason(why), reason_code=why, cause="interrupted" if interrupted else "pruned")


# --- sentences --------------------------------------------------------------------------------------------


def reason(why: reasons.OutcomeReason) -> str:
    """The reason of an outcome, without a full stop.

    The kinds of outcome follow each other: each function knows the reasons of one and hands the rest on.
    """
    match why:
        case reasons.TimeLimitPassed(limit_s=limit_s, during=step):
            return f"not finished after {limit_s:g} s{_during(step)}; a new worker was started"
        case reasons.SmallerRanOut(smaller=smaller):
            return f"a smaller cell, {_tried(smaller)}, ran out of memory"
        case reasons.FewerTokensDidNotFit(smaller=smaller):
            return f"a smaller cell, {_tried(smaller)}, did not fit"
        case reasons.RunInterrupted():
            return "the run was interrupted before this cell; `bench run --resume` runs it"
        case reasons.TimeBudgetUsed(budget_s=budget_s):
            return f"the time budget of {units.seconds(budget_s)} was used up"
        case _:
            return _out_of_memory(why)


def reason_of(outcome: Outcome) -> str:
    """The reason of a recorded outcome, of schema 1.0 the text that it contains; empty without a reason."""
    if isinstance(outcome, Measured | Predicted):
        return ""
    code = code_of(outcome)
    return outcome.reason if code is None else reason(code)


def code_of(outcome: Outcome) -> reasons.OutcomeReason | None:
    """The typed reason of a recorded outcome; None without a reason, and in records of schema 1.0."""
    return None if isinstance(outcome, Measured | Predicted) else outcome.reason_code


def ended(outcome: Outcome) -> str:
    """The reason of an outcome, with the phase and the sizes it knows; empty for a cell that has figures."""
    return "; ".join(_parts(outcome))


def _parts(outcome: Outcome) -> Iterator[str]:
    if isinstance(outcome, Measured | Predicted):
        return
    yield clean(reason_of(outcome))
    if isinstance(outcome, OutOfMemory | Failed | Timeout) and outcome.phase is not None:
        yield f"during {outcome.phase.value}"
    if isinstance(outcome, OutOfMemory) and outcome.requested_bytes is not None:
        free = f", {units.gib(outcome.free_bytes)} were free" if outcome.free_bytes is not None else ""
        yield f"{units.gib(outcome.requested_bytes)} requested{free}"
    if isinstance(outcome, OutOfMemory) and outcome.reserved_bytes is not None:
        yield f"the allocator held {units.gib(outcome.reserved_bytes)}"
    if isinstance(outcome, Timeout):
        yield f"limit {units.seconds(outcome.limit_s)}"


def _out_of_memory(
    why: reasons.OutOfMemoryReason | reasons.FailedReason | reasons.UnsupportedReason,
) -> str:
    match why:
        case reasons.DeviceRefused(error=error):
            return error
        case reasons.HostRefused(requested_bytes=asked, phase=phase):
            size = f" for {units.both_units(asked)}" if asked is not None else ""
            return f"the machine refused memory{size} during {phase or 'set-up'}"
        case reasons.EmulatedCardFull(requested_bytes=asked, free_bytes=free, limit_bytes=limit):
            return (
                f"tried to allocate {units.gib(asked)} with {units.gib(free)} free of the "
                f"{units.gib(limit)} that the emulated card leaves"
            )
        case reasons.NoContextFits():
            return "the card is full: not even a CUDA context fits"
        case _:
            return _failed(why)


def _failed(why: reasons.FailedReason | reasons.UnsupportedReason) -> str:
    match why:
        case reasons.NoNewWorker(error=error) | reasons.CardLost(error=error):
            return error
        case reasons.NotRecordable(error=error):
            return f"the figures cannot be stored in a record: {error}"
        case reasons.WorkerRaised(error=error, during=step):
            return f"{error}{_during(step)}"
        case reasons.WorkerExited(during=step) | reasons.WorkerKilled(during=step):
            return f"{worker_end(why)}{_during(step)}"
        case _:
            return _unsupported(why)


def _unsupported(why: reasons.UnsupportedReason) -> str:
    match why:
        case reasons.FlashAttentionNeedsGpu():
            return "FlashAttention 2 needs an NVIDIA GPU; this is a CPU"
        case reasons.FlashAttentionNeedsNewerGpu(needed=needed, compute_capability=found):
            return f"FlashAttention 2 needs compute capability {needed}; this card has {found}"
        case reasons.FlashAttentionNeeds16Bits():
            return "FlashAttention 2 computes in 16 bits; the suite requires float32"
        case reasons.FlashAttentionNotInstalled():
            return "the package flash-attn is not installed"
        case reasons.FlashAttentionBroken(version=version, failed_at=failed_at, error=error):
            ends = {"import": "cannot be imported", "run": "does not run on this card"}
            what = ends.get(failed_at, "ends the process that tries it")
            return f"flash-attn {version or '(of unknown version)'} {what}: {error}"
        case reasons.Bfloat16NeedsNewerGpu(needed=needed, compute_capability=found):
            return f"BF16 needs compute capability {needed}; this card has {found} and only emulates BF16"
        case reasons.BeyondContext(max_positions=positions, max_tokens=tokens, longest_clip_s=longest):
            return (
                f"the model has {positions:,} positions: with an answer of {tokens} tokens "
                f"the longest clip is {longest} s"
            )
        case _:
            assert_never(why)


def worker_end(why: reasons.WorkerExited | reasons.WorkerKilled) -> str:
    """How a worker ended, without the step that it was at."""
    match why:
        case reasons.WorkerExited(exit_status=status):
            return f"the worker ended with exit status {status}"
        case reasons.WorkerKilled(signal=name):
            often = "; often this is the system's out-of-memory killer" if name == "SIGKILL" else ""
            return f"the worker was killed by {name}{often}"
        case _:
            assert_never(why)


def _during(step: reasons.WorkerStep | None) -> str:
    return f" (during {phrases.step(step) if step is not None else 'start'})"


def _tried(cell: reasons.CellShape) -> str:
    return f"{units.clip_length(cell.clip_seconds)} with {cell.max_tokens} tokens"
