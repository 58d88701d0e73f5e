"""What cannot be compared, and the reason that a person reads."""

from collections.abc import Callable

import pytest

from bench.compare.comparable import differences, incomparable_reasons
from bench.compare.sides import CellObservation
from bench.records.card import Emulation
from bench.records.enums import Provenance, WeightMode
from bench.records.record import CellResult, Record, SubmoduleKernels
from tests.samples import records as sample
from tests.samples.comparisons import cell, record

EMULATION = Emulation(
    total_bytes=8, reserve_bytes=1, context_bytes=1, limit_bytes=6, enforced_by="CUDA caching allocator"
)


def changed(part: str, **fields: object) -> Callable[[Record], Record]:
    return lambda made: made.model_copy(update={part: getattr(made, part).model_copy(update=fields)})


def ran(**fields: object) -> Callable[[CellResult], CellResult]:
    def change(made: CellResult) -> CellResult:
        assert made.effective is not None
        return made.model_copy(update={"effective": made.effective.model_copy(update=fields)})

    return change


def labelled(*labels: str) -> Callable[[CellResult], CellResult]:
    return lambda made: sample.measured(made.requested, labels=labels)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (changed("suite", version="2"), "another version of the suite: 1.0 against 2"),
        (changed("suite", name="mine"), "another suite: standard against mine"),
        (changed("suite", definition={"measure": {"warmup_tokens": 64}}), "another warm-up"),
        (changed("model", config_sha256="f" * 64), "another model"),
        (changed("model", files=()), "other files of weights"),
        (changed("model", weight_mode=WeightMode.RANDOM), "weights: hub against random"),
        (
            lambda r: r.model_copy(update={"provenance": Provenance.SMOKE}),
            "provenance: measured against smoke",
        ),
        (lambda r: r.model_copy(update={"emulation": EMULATION}), "another card was emulated"),
    ],
)
def test_records_that_are_of_something_else(change: Callable[[Record], Record], reason: str) -> None:
    base, new = record(cell()), change(record(cell()))
    reasons = incomparable_reasons(CellObservation(base, base.cells[0]), CellObservation(new, new.cells[0]))
    assert [one for one in reasons if one.startswith(reason)], reasons
    assert (
        incomparable_reasons(CellObservation(base, base.cells[0]), CellObservation(base, base.cells[0])) == ()
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            ran(language_model=SubmoduleKernels(attention="eager", operators=())),
            "effective attention of the lang",
        ),
        (
            ran(audio_encoder=SubmoduleKernels(attention="eager", operators=("aten::bmm",))),
            "other kernels ran in the audio encoder",
        ),
        (ran(dtype="torch.float16"), "effective dtype: torch.bfloat16 against torch.float16"),
        (ran(threads=8), "threads: None against 8"),
        (ran(kv_cache="StaticCache"), "the effective kv cache differs"),
        (ran(prompt_tokens=7), "effective prompt tokens: 163 against 7"),
        (labelled("throttled"), "the new ran while the device slowed itself down"),
        (labelled("contended"), "the new shared the device with other work"),
        (labelled("spilled"), "the new lay partly in system memory"),
    ],
)
def test_cells_that_ran_otherwise(change: Callable[[CellResult], CellResult], reason: str) -> None:
    base, new = record(cell()), record(change(cell()))
    (told,) = incomparable_reasons(CellObservation(base, base.cells[0]), CellObservation(new, new.cells[0]))
    assert told.startswith(reason)


def test_another_card_may_run_other_operators() -> None:
    other = ran(language_model=SubmoduleKernels(attention="sdpa", operators=("aten::other",)))(cell())
    card = sample.RTX_4070.model_copy(update={"slug": "rtx-4090", "name": "NVIDIA GeForce RTX 4090"})
    base, new = record(cell()), record(other, device=card)
    assert (
        incomparable_reasons(CellObservation(base, base.cells[0]), CellObservation(new, new.cells[0])) == ()
    )


def test_noisy_cells_are_compared() -> None:
    base, new = record(cell()), record(labelled("noisy")(cell()))
    assert (
        incomparable_reasons(CellObservation(base, base.cells[0]), CellObservation(new, new.cells[0])) == ()
    )


def test_what_else_changed_is_told_and_nothing_that_did_not() -> None:
    base = record(cell())
    new = changed("environment", torch="2.14.0", variables={"OMP_NUM_THREADS": "1"})(base)
    new = changed("device", driver="600.1")(new)
    told = [(one.what, one.base, one.new) for one in differences(base, new)]
    assert told == [
        ("driver", "580.95.05", "600.1"),
        ("torch", "2.13.0+cu130", "2.14.0"),
        ("OMP_NUM_THREADS", None, "1"),
    ]
