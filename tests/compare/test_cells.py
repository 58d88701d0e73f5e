"""What became of a cell of both sides."""

from bench.compare.compare import compare_pairs
from bench.records.comparison_reasons import PairsLeftOut
from tests.samples import records as sample
from tests.samples.comparisons import against, against_one, cell, record

RATE = "decode_tokens_per_s"


def test_a_cell_that_no_longer_runs_is_a_result_and_one_that_does_now() -> None:
    want = sample.requested()
    assert against_one(cell(want), sample.out_of_memory(want)).cells[0].result == "no_longer_runs"
    assert against_one(sample.out_of_memory(want), cell(want)).cells[0].result == "runs_now"
    both = against_one(sample.out_of_memory(want), sample.out_of_memory(want)).cells[0]
    assert (both.result, both.metrics) == ("ran_in_neither", {})


def test_a_disturbed_pair_is_left_out_and_a_lost_cell_is_not() -> None:
    want = sample.requested()
    throttled = sample.measured(want, labels=("throttled",))
    pairs = [(record(cell(want), number=n), record(cell(want, slow=1.1), number=n)) for n in range(7)]
    found = compare_pairs([*pairs, (record(cell(want)), record(throttled))], ("a", "b")).against[0].cells[0]
    assert found.metrics[RATE].n_base == 7
    assert found.reason_codes == (PairsLeftOut(left_out=1, pairs=8),)
    lost = (record(cell(want)), record(sample.out_of_memory(want)))
    assert compare_pairs([*pairs, lost], ("a", "b")).against[0].cells[0].result == "no_longer_runs"


def test_a_disturbed_record_of_a_folder_is_left_out_of_its_side() -> None:
    want = sample.requested()
    good = [record(cell(want), number=n) for n in range(3)]
    throttled = record(sample.measured(want, labels=("throttled",)), number=5)
    found = against([*good, throttled], [record(cell(want, slow=1.2), number=9)])
    assert found.cells[0].result == "compared"
    assert found.cells[0].metrics[RATE].n_base == 18  # six repeats of each
