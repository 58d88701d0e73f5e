"""Several records of one model on one card become one document."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.records.enums import Attention, Phase, WeightMode
from bench.records.record import Record
from bench.report.view import view_of
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.reruns import (
    CELL,
    MACHINES,
    at,
    merged,
    rerun,
    small,
)


def test_each_set_of_software_with_the_number_of_its_records() -> None:
    newer = sample.environment().model_copy(update={"torch": "2.14.0"})
    other = rerun(small().model_copy(update={"environment": newer}), 3, machine=MACHINES[0])
    check = merged(at(40.0, 1), at(41.0, 2), other)
    assert [(seen.torch, seen.records) for seen in check.environment] == [("2.13.0+cu130", 2), ("2.14.0", 1)]


def test_a_named_shape_has_one_entry_per_attention_not_the_best_of_them() -> None:
    wants = [sample.requested(10.0, 128, kind) for kind in (Attention.SDPA, Attention.EAGER)]
    record = small([sample.measured(want) for want in wants])
    check = merged(rerun(record, 1, machine=MACHINES[0]), rerun(record, 2, machine=MACHINES[1]))
    assert [one.point.attention for one in check.speed["10/128"]] == [Attention.EAGER, Attention.SDPA]


ALONE = (
    sample.smoke(),
    sample.standard(),
    sample.standard(WeightMode.RANDOM),
    sample.all_unsupported(),
    sample.nothing_fits(),
    sample.interrupted(),
    sample.hostile(),
    sample.record([]),
    cards.rtx_4070(),
    cards.emulated(),
    derived.derived_record(),
)


@pytest.mark.parametrize("record", ALONE)
def test_one_record_merged_alone_is_its_own_document(record: Record) -> None:
    assert merged(record) == merged(record, record) == view_of(record).check


RATES = st.floats(10, 100)
POOL = st.lists(
    st.tuples(RATES, st.sampled_from([*MACHINES, None]), st.sampled_from(["", "noisy", "throttled"])),
    min_size=1,
    max_size=5,
)


@settings(max_examples=25)
@given(POOL, st.randoms(use_true_random=False))
def test_the_order_of_the_records_changes_nothing(
    pool: list[tuple[float, str | None, str]], dice: random.Random
) -> None:
    records = [
        at(speed, n, machine, *filter(None, [label])) for n, (speed, machine, label) in enumerate(pool)
    ]
    if len(records) > 2:
        records[0] = rerun(small([sample.out_of_memory(CELL.requested)]), 0, machine=pool[0][1])
    first = merged(*records)
    dice.shuffle(records)
    assert merged(*records) == first
    assert merged(*records, *records) == first


def test_rows_are_in_order_whatever_the_order_of_the_run() -> None:
    wants = [sample.requested(clip, tokens) for clip in (60.0, 10.0) for tokens in (512, 128)]
    rows = merged(sample.record([sample.measured(want) for want in wants])).rows
    assert [(row.clip_seconds, row.max_tokens) for row in rows] == [
        (10.0, 128),
        (10.0, 512),
        (60.0, 128),
        (60.0, 512),
    ]


def test_the_largest_cell_shows_its_memory_in_each_phase() -> None:
    largest = merged(sample.standard()).vram.largest
    assert largest is not None
    assert largest.point.clip_seconds == 600.0
    assert Phase.DECODE in largest.phases
