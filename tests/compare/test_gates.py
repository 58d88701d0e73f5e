"""Gates: as they are written, and when one fails, passes or cannot be decided."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.compare.compare import compare, compare_pairs
from bench.compare.gates import parse_gate
from bench.compare.sides import side_of
from bench.errors import UsageError
from bench.records.comparison import GateResult, Word
from bench.records.comparison_reasons import (
    BaseTooNoisy,
    CellsLost,
    CellsNotCompared,
    ChangeShown,
    MayBeChance,
    ProcessesTooFarApart,
)
from bench.records.metrics import METRICS, Better
from bench.records.record import CellResult, Failed, Outcome, OutOfMemory, Skipped, Unsupported
from tests.compare.test_comparable import labelled
from tests.samples import records as sample
from tests.samples.comparisons import STEADY, cell, record, requests

DECODE = "decode_tokens_per_s:-5%"
NOISY = (1.0, 1.06, 0.94, 1.03, 0.97, 1.05)


@given(st.sampled_from(sorted(METRICS)), st.decimals(0, 99, places=2))
def test_a_gate_allows_what_it_says_and_not_more(metric: str, percent: object) -> None:
    sign = "-" if METRICS[metric].better is Better.HIGHER else "+"
    gate = parse_gate(f"{metric}:{sign}{percent}%")
    worse = -1 if sign == "-" else 1
    assert gate.limit == pytest.approx(worse * float(str(percent)) / 100)
    assert not gate.is_beyond(gate.limit)
    assert gate.is_beyond(gate.limit + worse * 1e-9)
    assert not gate.is_beyond(-worse * 0.5)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("decode_tokens_per_s", "is no gate. Write METRIC:-5%"),
        ("decode_tokens_per_s:5%", "is no gate"),
        ("decode_tokens_per_s:-5", "is no gate"),
        ("decode_tokens_per_s:-5%\n", "is no gate"),
        ("decode_tokens_per_s:-٥%", "is no gate"),
        ("latency_s:+1e3%", "is no gate"),
        ("decode_tokens_s:-5%", "Did you mean decode_tokens_per_s"),
        ("vram:+5%", "There are load_s, "),
        ("decode_tokens_per_s:+5%", "gets worse as it falls, not with '+'. Write decode_tokens_per_s:-5%"),
        ("latency_s:-5%", "gets worse as it rises, not with '-'. Write latency_s:+5%"),
        ("decode_tokens_per_s:-100%", "cannot fall by 100%"),
    ],
)
def test_what_is_no_gate_is_said_with_what_to_write(text: str, says: str) -> None:
    with pytest.raises(UsageError, match="--fail-on") as refused:
        parse_gate(text)
    assert says in str(refused.value)


# --- whether a gate holds ---------------------------------------------------------------------------------


def gate(base: CellResult, new: CellResult, text: str = DECODE) -> GateResult:
    sides = side_of("base", [record(base)]), side_of("new", [record(new, number=1)])
    return compare(sides[0], [sides[1]], [parse_gate(text)]).against[0].gates[0]


@pytest.mark.parametrize(
    ("slow", "result"),
    [(1.0, "cannot_tell"), (1.03, "cannot_tell"), (1.1, "cannot_tell"), (1.2, "failed"), (2.0, "failed")],
)
def test_two_records_tell_a_small_gate_only_a_large_loss(slow: float, result: str) -> None:
    found = gate(cell(), cell(slow=slow))
    assert found.result == result
    assert isinstance(found.why_code, ProcessesTooFarApart) == (result == "cannot_tell")


@pytest.mark.parametrize(
    ("slow", "result"),
    [(1.0, "passed"), (1.1, "passed"), (1.2, "cannot_tell"), (1.5, "failed"), (0.8, "passed")],
)
def test_two_records_pass_a_gate_that_their_processes_cannot_reach(slow: float, result: str) -> None:
    assert gate(cell(), cell(slow=slow), "decode_tokens_per_s:-20%").result == result


def test_a_base_whose_own_noise_exceeds_half_the_gate_cannot_tell() -> None:
    wild = tuple(1 + 3 * (factor - 1) for factor in NOISY)
    found = gate(cell(factors=wild), cell(slow=1.1), "decode_tokens_per_s:-20%")
    assert found.result == "cannot_tell"
    assert isinstance(found.why_code, BaseTooNoisy)
    assert found.why_code.noise == pytest.approx(0.145, abs=0.005)
    assert gate(cell(factors=NOISY), cell(slow=1.5)).result == "cannot_tell"  # however large the change
    assert gate(cell(factors=STEADY), cell(slow=1.5)).result == "failed"


def test_three_repeats_fail_a_gate_where_one_cell_of_four_has_half_its_speed() -> None:
    wants = requests(4)
    base = [cell(want, factors=STEADY[:3]) for want in wants]
    new = [cell(want, slow=2.0 if n == 1 else 1.0, factors=STEADY[:3]) for n, want in enumerate(wants)]
    sides = side_of("base", [record(*base)]), side_of("new", [record(*new, number=1)])
    found = compare(sides[0], [sides[1]], [parse_gate("decode_tokens_per_s:-20%")]).against[0]
    assert found.gates[0].result == "failed"
    why = found.gates[0].why_code
    assert isinstance(why, ChangeShown)
    assert why.by.cell is not None
    assert why.by.cell.clip_seconds == 20
    assert found.overall["decode_tokens_per_s"].verdict is not Word.SAME_WITHIN_NOISE


def test_two_repeats_cannot_fail_a_gate() -> None:
    found = gate(cell(factors=STEADY[:2]), cell(slow=2, factors=STEADY[:2]))
    assert found.result == "cannot_tell"


@pytest.mark.parametrize(
    "outcome",
    [
        OutOfMemory(reason="CUDA out of memory"),
        Failed(reason="killed"),
        Unsupported(reason="no flash-attn"),
        Skipped(reason="a smaller one ran out of memory", cause="pruned"),
    ],
)
def test_a_cell_that_no_longer_runs_fails_every_gate(outcome: Outcome) -> None:
    want = sample.requested()
    found = gate(cell(want), sample.not_measured(want, outcome), "reserved_peak_bytes:+50%")
    assert found.result == "failed"
    assert isinstance(found.why_code, CellsLost)
    assert (found.why_code.cells, found.why_code.first_status) == (1, outcome.status)


def test_a_cell_that_was_not_reached_fails_none() -> None:
    want = sample.requested()
    stopped = Skipped(reason="the run ended", cause="interrupted")
    assert gate(cell(want), sample.not_measured(want, stopped)).result == "cannot_tell"
    assert gate(cell(want), labelled("throttled")(cell(want))).result == "cannot_tell"


@pytest.mark.parametrize(
    ("extra", "limit", "result"),
    [(0, "+0%", "passed"), (1, "+0%", "failed"), (10**8, "+2%", "passed"), (10**9, "+2%", "failed")],
)
def test_memory_needs_no_test(extra: int, limit: str, result: str) -> None:
    assert gate(cell(), cell(extra_bytes=extra), f"reserved_peak_bytes:{limit}").result == result


def test_one_cell_of_many_is_corrected_for_the_number_that_were_looked_at() -> None:
    """8 pairs show 2/256 at best: enough for one of 6 cells, not for one of 7."""
    for count, result in ((6, "failed"), (7, "cannot_tell")):
        wants = requests(count)
        base = record(*(cell(want) for want in wants))
        new = record(*(cell(want, slow=1.1 if n == 3 else 1.0) for n, want in enumerate(wants)), number=1)
        (found,) = compare_pairs([(base, new)] * 8, ("a", "b"), [parse_gate(DECODE)]).against[0].gates
        assert found.result == result, found
        assert isinstance(found.why_code, ChangeShown | MayBeChance)
        assert found.why_code.by.cell is not None
        assert found.why_code.by.cell.clip_seconds == 40


@pytest.mark.parametrize("metric", ["decode_tokens_per_s:-20%", "reserved_peak_bytes:+2%"])
def test_a_gate_over_a_part_of_the_base_cannot_tell(metric: str) -> None:
    """One cell is gone, one throttled, one ran on neither side."""
    wants = requests(4)
    base = record(*map(cell, wants[:3]), sample.out_of_memory(wants[3]))
    part = (cell(wants[0]), labelled("throttled")(cell(wants[1])), sample.out_of_memory(wants[3]))
    sides = side_of("base", [base]), side_of("new", [record(*part, number=1)])
    (found,) = compare(sides[0], [sides[1]], [parse_gate(metric)]).against[0].gates
    assert found.result == "cannot_tell"
    assert found.why_code == CellsNotCompared(cells=2, ran=3)
    slow = record(cell(wants[0], slow=2.0, extra_bytes=10**9), number=1)
    (found,) = compare(sides[0], [side_of("new", [slow])], [parse_gate(metric)]).against[0].gates
    assert found.result == "failed"


def test_pairs_need_no_quiet_base() -> None:
    drift = (1.0, 1.3, 0.8, 1.5, 0.9, 1.2, 1.1, 0.7)
    for slow, result in ((1.1, "failed"), (1.0, "passed"), (1.02, "passed")):
        pairs = [
            (record(cell(slow=d)), record(cell(slow=slow * d * wobble)))
            for d, wobble in zip(drift, NOISY * 2, strict=False)
        ]
        (found,) = compare_pairs(pairs, ("a", "b"), [parse_gate(DECODE)]).against[0].gates
        assert found.result == result, found


def test_pairs_that_scatter_more_than_the_gate_is_wide_do_not_say_that_all_is_well() -> None:
    wild = (1.5, 0.7, 1.3, 0.8, 1.4, 0.75, 1.2, 0.9)
    pairs = [(record(cell()), record(cell(slow=slow))) for slow in wild]
    (found,) = compare_pairs(pairs, ("a", "b"), [parse_gate("decode_tokens_per_s:-10%")]).against[0].gates
    assert found.result == "cannot_tell"


def test_too_few_pairs_cannot_tell_even_that_all_is_well() -> None:
    pairs = [(record(cell()), record(cell(slow=1.01)))] * 5
    (found,) = compare_pairs(pairs, ("a", "b"), [parse_gate(DECODE)]).against[0].gates
    assert found.result == "cannot_tell"


def test_gates_are_for_one_device_and_for_cells_that_both_have() -> None:
    base = side_of("a.json", [record(cell())])
    with pytest.raises(UsageError, match=r"a\.json ran on NVIDIA GeForce RTX 4070, b\.json on AMD EPYC"):
        compare(
            base, [side_of("b.json", [record(cell(), number=1, device=sample.CPU)])], [parse_gate(DECODE)]
        )
    with pytest.raises(UsageError, match="no cell in common"):
        other = record(cell(sample.requested(77.0)), number=1)
        compare(base, [side_of("b.json", [other])], [parse_gate(DECODE)])


def test_a_record_is_no_gate_against_itself() -> None:
    side = side_of("a.json", [record(cell(), number=3)])
    with pytest.raises(
        UsageError, match=r"both sides are the same record: 000000000003 is in a\.json and in"
    ):
        compare(side, [side], [parse_gate(DECODE)])
    assert compare(side, [side]).against[0].cells[0].result == "compared"
