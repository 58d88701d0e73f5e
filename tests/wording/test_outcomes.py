"""One sentence for each reason of an outcome."""

import re
from pathlib import Path
from typing import Final

import pytest

import bench
from bench.records import reasons
from bench.records.cell import OutOfMemory, Unsupported
from bench.records.enums import Phase
from bench.records.reasons import CellShape, OutcomeReason, WorkerStep
from bench.wording import outcomes
from tests.wording.unions import members

ROOT: Final = Path(bench.__file__).parent
GIB: Final = 2**30
SMALLER: Final = CellShape(clip_seconds=10.0, max_tokens=512)
SECOND: Final = WorkerStep(name="repeat", number=2, total=3)

SENTENCES: Final[list[tuple[OutcomeReason, str]]] = [
    (reasons.FlashAttentionNeedsGpu(), "FlashAttention 2 needs an NVIDIA GPU; this is a CPU"),
    (
        reasons.FlashAttentionNeedsNewerGpu(needed=8.0, compute_capability="7.5"),
        "FlashAttention 2 needs compute capability 8.0; this card has 7.5",
    ),
    (
        reasons.FlashAttentionNeeds16Bits(),
        "FlashAttention 2 computes in 16 bits; the suite requires float32",
    ),
    (reasons.FlashAttentionNotInstalled(), "the package flash-attn is not installed"),
    (
        reasons.FlashAttentionBroken(version="2.7.4", failed_at="import", error="undefined symbol"),
        "flash-attn 2.7.4 cannot be imported: undefined symbol",
    ),
    (
        reasons.FlashAttentionBroken(version=None, failed_at="run", error="no kernel image"),
        "flash-attn (of unknown version) does not run on this card: no kernel image",
    ),
    (
        reasons.FlashAttentionBroken(version="2.8.3", failed_at="crash", error="killed by SIGSEGV"),
        "flash-attn 2.8.3 ends the process that tries it: killed by SIGSEGV",
    ),
    (
        reasons.Bfloat16NeedsNewerGpu(needed=8.0, compute_capability="7.5"),
        "BF16 needs compute capability 8.0; this card has 7.5 and only emulates BF16",
    ),
    (
        reasons.BeyondContext(max_positions=40_960, max_tokens=128, longest_clip_s=2790),
        "the model has 40,960 positions: with an answer of 128 tokens the longest clip is 2790 s",
    ),
    (reasons.DeviceRefused(error="CUDA out of memory."), "CUDA out of memory."),
    (
        reasons.HostRefused(requested_bytes=8_000_000_000, phase=Phase.LOAD),
        "the machine refused memory for 8.00 GB (7.45 GiB) during load",
    ),
    (reasons.HostRefused(requested_bytes=None, phase=None), "the machine refused memory during set-up"),
    (
        reasons.EmulatedCardFull(requested_bytes=2 * GIB, free_bytes=GIB, limit_bytes=8 * GIB),
        "tried to allocate 2.00 GiB with 1.00 GiB free of the 8.00 GiB that the emulated card leaves",
    ),
    (reasons.NoContextFits(), "the card is full: not even a CUDA context fits"),
    (reasons.NoNewWorker(error="no GPU was found"), "no GPU was found"),
    (
        reasons.NotRecordable(error="9007199254740992 exceeds it"),
        "the figures cannot be stored in a record: 9007199254740992 exceeds it",
    ),
    (reasons.CardLost(error="GPU is lost"), "GPU is lost"),
    (
        reasons.WorkerRaised(error="RuntimeError: cuDNN error", during=SECOND),
        "RuntimeError: cuDNN error (during repeat 2 of 3)",
    ),
    (
        reasons.WorkerExited(exit_status=3, during=WorkerStep(name="load")),
        "the worker ended with exit status 3 (during load)",
    ),
    (
        reasons.WorkerKilled(signal="SIGKILL", during=None),
        "the worker was killed by SIGKILL; often this is the system's out-of-memory killer (during start)",
    ),
    (
        reasons.WorkerKilled(signal="SIGSEGV", during=None),
        "the worker was killed by SIGSEGV (during start)",
    ),
    (
        reasons.TimeLimitPassed(limit_s=300.0, during=SECOND),
        "not finished after 300 s (during repeat 2 of 3); a new worker was started",
    ),
    (reasons.SmallerRanOut(smaller=SMALLER), "a smaller cell, 10 s with 512 tokens, ran out of memory"),
    (reasons.FewerTokensDidNotFit(smaller=SMALLER), "a smaller cell, 10 s with 512 tokens, did not fit"),
    (
        reasons.TimeBudgetUsed(budget_s=600.0),
        "the time budget of 10 min was used up",
    ),
    (
        reasons.RunInterrupted(),
        "the run was interrupted before this cell; `bench run --resume` runs it",
    ),
]


@pytest.mark.parametrize(("reason", "sentence"), SENTENCES, ids=lambda value: getattr(value, "code", ""))
def test_each_reason_has_its_sentence(reason: OutcomeReason, sentence: str) -> None:
    assert outcomes.reason(reason) == sentence


def test_no_reason_is_missing_from_the_table() -> None:
    assert {type(reason) for reason, _ in SENTENCES} == members(OutcomeReason)


def test_text_of_others_is_made_safe_when_it_enters_a_reason() -> None:
    assert reasons.CardLost(error="GPU\nis \x1b[31mlost").error == "GPU is �[31mlost"


def test_a_recorded_outcome_is_worded_from_its_code_and_without_one_as_it_was_stored() -> None:
    outcome = outcomes.unsupported(reasons.FlashAttentionNeedsGpu())
    assert outcome.reason == outcomes.reason_of(outcome)
    assert outcomes.reason_of(outcome.model_copy(update={"reason": "anything"})) == outcome.reason
    assert outcomes.reason_of(Unsupported(reason="of schema 1.0")) == "of schema 1.0"
    assert outcomes.reason_of(OutOfMemory(reason="of schema 1.0")) == "of schema 1.0"


def test_outcomes_with_a_reason_are_made_only_where_code_and_sentence_are_made_together() -> None:
    made = re.compile(r"(?<!class )\b(Unsupported|OutOfMemory|Failed|Timeout|Skipped)\(")
    makers = [path.name for path in ROOT.rglob("*.py") if made.search(path.read_text(encoding="utf-8"))]
    assert makers == ["outcomes.py"]
