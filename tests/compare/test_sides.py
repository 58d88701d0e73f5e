"""Which records make one side."""

from bench.compare.sides import side_of
from tests.samples import records as sample
from tests.samples.comparisons import cell, record


def test_records_of_another_build_are_left_out_of_a_side() -> None:
    older = sample.environment().model_copy(update={"torch": "2.9.1"})
    records = [
        record(cell(), number=1, environment=older),
        record(cell(), number=2),
        record(cell(), number=3),
    ]
    side = side_of("main", records)
    assert ([one.record_id[-1] for one in side.records], side.left_out) == (["2", "3"], 1)


def test_the_base_of_a_folder_is_what_is_most_alike() -> None:
    cpu = record(cell(), number=5, device=sample.CPU)
    card = record(cell(), number=1)
    assert side_of("main", [cpu, card], like=record(cell(), number=9)).newest == card
    assert side_of("main", [cpu, card]).newest == cpu
