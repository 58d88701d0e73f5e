"""What cannot be compared, and why."""

from collections.abc import Callable

import pytest

from bench.compare.comparable import differences, improvements, incomparable_reasons
from bench.compare.sides import CellObservation
from bench.records.aspects import Aspect
from bench.records.card import Emulation
from bench.records.cell import CellResult, SubmoduleKernels
from bench.records.comparison_reasons import CellReason, Differs, Disturbed
from bench.records.enums import Label, Provenance, WeightMode
from bench.records.record import Record
from tests.samples import records as sample
from tests.samples.comparisons import cell, record

CONFIG = record(cell()).model.config_sha256
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
        (changed("suite", version="2"), Differs(aspect=Aspect.SUITE_VERSION, base="1.0", new="2")),
        (changed("suite", name="mine"), Differs(aspect=Aspect.SUITE_NAME, base="standard", new="mine")),
        (
            changed("suite", definition={"measure": {"warmup_tokens": 64}}),
            Differs(aspect=Aspect.WARM_UP, base=None, new=64),
        ),
        (
            changed("model", config_sha256="f" * 64),
            Differs(aspect=Aspect.CONFIGURATION, base=CONFIG, new="f" * 64),
        ),
        (changed("model", files=()), Differs(aspect=Aspect.WEIGHT_FILES, base=None, new=None)),
        (
            changed("model", weight_mode=WeightMode.RANDOM),
            Differs(aspect=Aspect.WEIGHT_MODE, base="hub", new="random"),
        ),
        (
            lambda r: r.model_copy(update={"provenance": Provenance.SMOKE}),
            Differs(aspect=Aspect.PROVENANCE, base="measured", new="smoke"),
        ),
        (
            lambda r: r.model_copy(update={"emulation": EMULATION}),
            Differs(aspect=Aspect.EMULATION, base=None, new=None),
        ),
    ],
)
def test_records_that_are_of_something_else(change: Callable[[Record], Record], reason: CellReason) -> None:
    base, new = record(cell()), change(record(cell()))
    reasons = incomparable_reasons(CellObservation(base, base.cells[0]), CellObservation(new, new.cells[0]))
    assert reasons == (reason,)
    assert (
        incomparable_reasons(CellObservation(base, base.cells[0]), CellObservation(base, base.cells[0])) == ()
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            ran(language_model=SubmoduleKernels(attention="eager", operators=())),
            Differs(aspect=Aspect.RAN_ATTENTION, base="sdpa", new="eager"),
        ),
        (
            ran(audio_encoder=SubmoduleKernels(attention="eager", operators=("aten::bmm",))),
            Differs(aspect=Aspect.RAN_ENCODER_OPERATORS, base=None, new=None),
        ),
        (
            ran(dtype="torch.float16"),
            Differs(aspect=Aspect.RAN_DTYPE, base="torch.bfloat16", new="torch.float16"),
        ),
        (ran(threads=8), Differs(aspect=Aspect.RAN_THREADS, base=None, new=8)),
        (
            ran(kv_cache="StaticCache"),
            Differs(aspect=Aspect.RAN_CACHE, base="DynamicCache", new="StaticCache"),
        ),
        (ran(prompt_tokens=7), Differs(aspect=Aspect.RAN_PROMPT_TOKENS, base=163, new=7)),
        (labelled("throttled"), Disturbed(side="new", label=Label.THROTTLED)),
        (labelled("contended"), Disturbed(side="new", label=Label.CONTENDED)),
        (labelled("spilled"), Disturbed(side="new", label=Label.SPILLED)),
    ],
)
def test_cells_that_ran_otherwise(change: Callable[[CellResult], CellResult], reason: CellReason) -> None:
    base, new = record(cell()), record(change(cell()))
    found = incomparable_reasons(CellObservation(base, base.cells[0]), CellObservation(new, new.cells[0]))
    assert found == (reason,)


def test_another_card_may_run_other_operators() -> None:
    other = ran(language_model=SubmoduleKernels(attention="sdpa", operators=("aten::other",)))(cell())
    card = sample.RTX_4070.model_copy(update={"slug": "rtx-4090", "name": "NVIDIA GeForce RTX 4090"})
    base, new = record(cell()), record(other, device=card)
    assert (
        incomparable_reasons(CellObservation(base, base.cells[0]), CellObservation(new, new.cells[0])) == ()
    )


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        (
            "flash",
            "memory_efficient",
            (Differs(aspect=Aspect.RAN_KERNEL, base="flash", new="memory_efficient"),),
        ),
        ("flash", "flash", ()),
        (None, "flash", ()),  # an older record does not have it
    ],
)
def test_another_kernel_on_another_card_is_named(
    before: str | None, after: str, named: tuple[Differs, ...]
) -> None:
    base, new = (sample.with_kernels(cell(), kernel=kernel) for kernel in (before, after))
    assert improvements(base, new) == named


def test_a_fallback_to_math_is_compared_on_no_card() -> None:
    fallback = sample.with_kernels(
        cell(), attention="sdpa (unfused)", operators=("aten::_safe_softmax",), kernel="math"
    )
    card = sample.RTX_4070.model_copy(update={"slug": "rtx-4090", "name": "NVIDIA GeForce RTX 4090"})
    base = record(cell())
    for new in (record(fallback), record(fallback, device=card)):
        found = incomparable_reasons(CellObservation(base, base.cells[0]), CellObservation(new, new.cells[0]))
        assert found == (Differs(aspect=Aspect.RAN_ATTENTION, base="sdpa", new="sdpa (unfused)"),)


def test_ungrouped_calls_of_sdpa_are_named() -> None:
    base, new = ran(sdpa_grouping="grouped")(cell()), ran(sdpa_grouping="ungrouped")(cell())
    assert improvements(base, new) == (Differs(aspect=Aspect.RAN_GROUPING, base="grouped", new="ungrouped"),)


def test_noisy_cells_are_compared() -> None:
    base, new = record(cell()), record(labelled("noisy")(cell()))
    assert (
        incomparable_reasons(CellObservation(base, base.cells[0]), CellObservation(new, new.cells[0])) == ()
    )


def test_differences_name_what_else_changed_and_nothing_that_did_not() -> None:
    base = record(cell())
    new = changed("environment", torch="2.14.0", variables={"OMP_NUM_THREADS": "1"})(base)
    new = changed("device", driver="600.1")(new)
    found = [(one.what, one.base, one.new) for one in differences(base, new)]
    assert found == [
        ("driver", "580.95.05", "600.1"),
        ("torch", "2.13.0+cu130", "2.14.0"),
        ("OMP_NUM_THREADS", None, "1"),
    ]


def test_a_shipped_suite_and_an_own_one_of_its_name_are_two_suites() -> None:
    def seen(origin: str | None) -> CellObservation:
        made = changed("suite", origin=origin)(record(cell()))
        return CellObservation(made, made.cells[0])

    own = Differs(aspect=Aspect.SUITE_ORIGIN, base="shipped", new="own")
    assert incomparable_reasons(seen("shipped"), seen("own")) == (own,)
    assert incomparable_reasons(seen(None), seen("own")) == (), "an older record does not say"
