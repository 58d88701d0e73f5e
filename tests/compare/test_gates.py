"""Gates: as they are written, and when one fails, passes or cannot be decided."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.compare.compare import compare, compare_pairs
from bench.compare.gates import parse_gate
from bench.compare.sides import side_of
from bench.errors import UsageError
from bench.records.cell import CellResult, Failed, Outcome, OutOfMemory, Skipped, Unsupported
from bench.records.comparison import ChangeVerdict, GateResult, SideComparison
from bench.records.comparison_reasons import (
    AtTheLimit,
    CellsLost,
    CellsNotCompared,
    ChangeShown,
    GateCounted,
    MayBeChance,
    MayReachBeyond,
    MetricOnOneSide,
    NoCellHasMetric,
    NoInterval,
    RecordMetric,
    RoseFromZero,
    RunAlike,
    RunPairs,
    RunProcesses,
    TooFewRepeats,
    TooFewRuns,
    WorstChange,
)
from bench.records.enums import Provenance
from bench.records.metrics import METRICS, Better
from bench.records.record import Record
from tests.compare.test_comparable import labelled
from tests.samples import records as sample
from tests.samples.comparisons import STEADY, against, cell, record, requests

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
        ("decode_tokens_per_s", "is not a gate. Write METRIC:-5%"),
        ("decode_tokens_per_s:5%", "is not a gate"),
        ("decode_tokens_per_s:-5", "is not a gate"),
        ("decode_tokens_per_s:-5%\n", "is not a gate"),
        ("decode_tokens_per_s:-٥%", "is not a gate"),
        ("latency_s:+1e3%", "is not a gate"),
        ("decode_tokens_s:-5%", "Did you mean decode_tokens_per_s"),
        ("vram:+5%", "There are load_s, "),
        ("latency_s:-100%", "cannot fall by 100%"),
        ("decode_tokens_per_s:-100%", "cannot fall by 100%"),
    ],
)
def test_what_is_no_gate_is_said_with_what_to_write(text: str, says: str) -> None:
    with pytest.raises(UsageError, match="--fail-on") as refused:
        parse_gate(text)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("text", "short", "met"),
    [("latency_s:-5%", -0.04, -0.06), ("decode_tokens_per_s:+5%", 0.04, 0.06)],
)
def test_a_sign_that_goes_the_good_way_demands_an_improvement(text: str, short: float, met: float) -> None:
    demand = parse_gate(text)
    assert demand.is_beyond(short)
    assert demand.is_beyond(0.0)
    assert not demand.is_beyond(met)


def test_rounding_of_a_quotient_is_no_change() -> None:
    assert not parse_gate("reserved_peak_bytes:+2%").is_beyond(102 / 100 - 1)
    assert parse_gate("reserved_peak_bytes:+0%").is_beyond(1 / (139 * 2**30))


# --- one decision for every limit -------------------------------------------------------------------------

RISES = (400, 200, 100, 50, 30, 20, 10, 5, 2, 1, 0)
LAX_TO_STRICT = {
    **{
        metric: [*(f"{metric}:+{n}%" for n in RISES), *(f"{metric}:-{n}%" for n in (1, 5, 20, 50, 70))]
        for metric in ("latency_s", "reserved_peak_bytes", "process_peak_bytes", "load_s")
    },
    "decode_tokens_per_s": [
        *(f"decode_tokens_per_s:-{n}%" for n in (90, 70, 50, 30, 20, 10, 5, 2, 1, 0)),
        *(f"decode_tokens_per_s:+{n}%" for n in (1, 5, 30, 100, 300)),
    ],
}
"""Of each kind of metric, gates from the laxest to the strictest."""
ORDER = ("pass", "undecided", "fail")
WANTS = requests(2)
SLOW = st.floats(0.3, 3)
FACTORS = st.lists(st.floats(0.8, 1.25), min_size=1, max_size=4)
EXTRA = st.sampled_from([0, 1, 10**7, 10**8, 10**10])


@st.composite
def runs(draw: st.DrawFn, count: int, first: int) -> list[Record]:
    """So many records of one build, of one cell or two."""
    cells = draw(st.integers(1, len(WANTS)))
    return [
        record(
            *(
                cell(want, slow=draw(SLOW), factors=draw(FACTORS), extra_bytes=draw(EXTRA))
                for want in WANTS[:cells]
            ),
            number=first + n,
        )
        for n in range(count)
    ]


@st.composite
def comparisons(draw: st.DrawFn) -> SideComparison:
    """Single records, a few, enough for a test of processes, or pairs; with every gate."""
    base, new, is_paired = draw(
        st.sampled_from([(1, 1, False), (2, 1, False), (3, 1, False), (4, 4, False), (7, 7, True)])
    )
    olds, news = draw(runs(base, 0)), draw(runs(new, 100))
    gates = [gate for texts in LAX_TO_STRICT.values() for gate in texts]
    if is_paired:
        pairs = list(zip(olds, news, strict=True))
        return compare_pairs(pairs, ("a", "b"), [*map(parse_gate, gates)]).against[0]
    return against(olds, news, *gates)


@settings(max_examples=30, deadline=None)
@given(comparisons())
def test_from_lax_to_strict_a_gate_passes_then_is_undecided_then_fails(found: SideComparison) -> None:
    decisions = {gate.gate: gate.decision for gate in found.gates}
    for texts in LAX_TO_STRICT.values():
        places = [ORDER.index(decisions[text] or "") for text in texts]
        assert all(one <= stricter for one, stricter in pairwise(places)), dict(
            zip(texts, places, strict=True)
        )


@settings(max_examples=20, deadline=None)
@given(comparisons())
def test_no_gate_contradicts_the_row_of_its_metric(found: SideComparison) -> None:
    """A loss that fails a gate is called one in a row; where a gain is demanded and shown, a row says it."""
    for gate in found.gates:
        rows = [one.metrics[gate.metric] for one in found.cells if gate.metric in one.metrics]
        over = [found.overall[gate.metric]] if gate.metric in found.overall else []
        is_bad_way = gate.limit <= 0 if METRICS[gate.metric].better is Better.HIGHER else gate.limit >= 0
        if gate.decision == "fail" and is_bad_way:
            assert any(row.better is False for row in [*rows, *over]), gate
        if gate.decision == "pass" and not is_bad_way:
            assert all(row.better is True for row in [*rows, *over]), gate


def test_every_undecided_gate_says_what_would_decide_it() -> None:
    slow = record(cell(slow=1.4), number=1)
    for gate in against(
        [record(cell())], [slow], *(g for texts in LAX_TO_STRICT.values() for g in texts)
    ).gates:
        assert (gate.decision == "undecided") == bool(gate.remedy) == (gate.remedy_code is not None)


# --- whether a gate holds ---------------------------------------------------------------------------------


def gate(base: CellResult, new: CellResult, text: str = DECODE, **changes: object) -> GateResult:
    old, now = (one.model_copy(update=changes) for one in (record(base), record(new, number=1)))
    return against([old], [now], text).gates[0]


@pytest.mark.parametrize(
    ("slow", "limit", "decision"),
    [
        (1.0, "+1%", "undecided"),
        (1.85, "+1%", "undecided"),
        (1.85, "+30%", "undecided"),
        (1.0, "+30%", "undecided"),
        (1.0, "+110%", "pass"),
        (3.0, "+30%", "fail"),
        (3.0, "+1%", "fail"),
        (3.0, "+100%", "undecided"),
        (0.3, "+0%", "pass"),
        (0.3, "-30%", "pass"),
    ],
)
def test_two_single_records_show_a_change_beyond_a_factor_of_two(
    slow: float, limit: str, decision: str
) -> None:
    """A nightly run against one base record: a latency that triples fails, what runs differ by does not."""
    found = gate(cell(), cell(slow=slow), f"latency_s:{limit}", device=sample.CPU)
    assert found.decision == decision, found
    if decision == "undecided":
        assert isinstance(found.why_code, MayBeChance | MayReachBeyond)
        if slow < 2:
            assert found.why_code.note == TooFewRuns(base=1, new=1, factor=2.0)
        assert found.remedy_code == RunProcesses(runs=4)


@pytest.mark.parametrize("slow", [0.1, 1.0, 1.3, 10.0])
@pytest.mark.parametrize("limit", ["-5%", "+0%", "+30%", "+9000%"])
def test_two_single_smoke_runs_decide_nothing_about_speed(slow: float, limit: str) -> None:
    found = gate(cell(), cell(slow=slow), f"latency_s:{limit}", provenance=Provenance.SMOKE)
    assert found.decision == "undecided"
    assert isinstance(found.why_code, NoInterval)
    assert found.why_code.note == TooFewRuns(base=1, new=1, factor=None)
    assert found.remedy_code == RunProcesses(runs=4)


@pytest.mark.parametrize(
    ("slow", "limit", "decision"),
    [
        (1.0, "+1%", "undecided"),
        (1.3, "+1%", "undecided"),
        (1.4, "+1%", "fail"),
        (1.7, "+30%", "undecided"),
        (1.8, "+30%", "fail"),
        (1.0, "+30%", "undecided"),
        (1.0, "+40%", "pass"),
        (0.7, "+0%", "pass"),
    ],
)
def test_single_records_of_a_card_are_assumed_to_differ_by_less(
    slow: float, limit: str, decision: str
) -> None:
    assert gate(cell(), cell(slow=slow), f"latency_s:{limit}").decision == decision


def test_what_the_repeats_of_single_records_scatter_is_not_held_for_less_than_it_is() -> None:
    wild = (1.0, 4.0, 0.4, 3.0, 0.5, 2.0)
    assert gate(cell(factors=STEADY), cell(slow=3, factors=STEADY), "latency_s:+1%").decision == "fail"
    assert gate(cell(factors=wild), cell(slow=3, factors=wild), "latency_s:+1%").decision == "undecided"


def test_a_gate_fails_where_one_cell_of_four_has_a_third_of_its_speed() -> None:
    wants = requests(4)
    base = [cell(want, factors=STEADY[:3]) for want in wants]
    new = [cell(want, slow=3.0 if n == 1 else 1.0, factors=STEADY[:3]) for n, want in enumerate(wants)]
    sides = side_of("base", [record(*base)]), side_of("new", [record(*new, number=1)])
    found = compare(sides[0], [sides[1]], [parse_gate("decode_tokens_per_s:-20%")]).against[0]
    assert found.gates[0].decision == "fail"
    why = found.gates[0].why_code
    assert isinstance(why, ChangeShown)
    assert why.by.cell is not None
    assert why.by.cell.clip_seconds == 20
    assert "range of 3, not 95 %" in found.gates[0].why
    assert found.overall["decode_tokens_per_s"].verdict is not ChangeVerdict.SAME_WITHIN_NOISE


def test_two_repeats_cannot_fail_a_gate() -> None:
    found = gate(cell(factors=STEADY[:2]), cell(slow=3, factors=STEADY[:2]))
    assert found.decision == "undecided"
    assert isinstance(found.why_code, NoInterval)
    assert found.why_code.note == TooFewRepeats(least=3)
    assert found.remedy_code == RunProcesses(runs=4)


def test_four_records_a_side_decide_what_two_did_not() -> None:
    steady = (1.0, 1.01, 0.99, 1.005)
    base = [record(cell(slow=slow), number=n) for n, slow in enumerate(steady)]
    new = [record(cell(slow=1.2 * slow), number=9 + n) for n, slow in enumerate(steady)]
    decided = [one.decision for one in against(base, new, "latency_s:+30%", "latency_s:+5%").gates]
    assert decided == ["pass", "fail"]


def test_more_runs_are_asked_for_by_how_far_the_interval_reaches() -> None:
    """The interval narrows with the root of their number: twice as near to the limit, four times as many."""
    loose = (1.0, 1.06, 0.94, 1.03, 0.97, 1.01, 0.99, 1.02)
    pairs = [
        (record(cell(), number=n), record(cell(slow=slow), number=50 + n)) for n, slow in enumerate(loose)
    ]
    gates = [parse_gate(f"latency_s:+{percent}%") for percent in ("4", "3", "2", "0.5")]
    lax, near, nearer, nearest = compare_pairs(pairs, ("a", "b"), gates).against[0].gates
    assert lax.decision == "pass"
    assert isinstance(near.remedy_code, RunPairs)
    assert isinstance(nearer.remedy_code, RunPairs)
    assert 8 < near.remedy_code.pairs < nearer.remedy_code.pairs < 100
    assert (nearest.decision, nearest.remedy_code) == ("undecided", AtTheLimit())


# --- cells and metrics that are not there ------------------------------------------------------------------


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
    assert found.decision == "fail"
    assert isinstance(found.why_code, CellsLost)
    assert (found.why_code.cells, found.why_code.first_status) == (1, outcome.status)


def test_a_cell_that_was_not_reached_fails_none() -> None:
    want = sample.requested()
    stopped = Skipped(reason="the run ended", cause="interrupted")
    assert gate(cell(want), sample.not_measured(want, stopped)).decision == "undecided"
    assert gate(cell(want), labelled("throttled")(cell(want))).decision == "undecided"


@pytest.mark.parametrize(
    ("extra", "limit", "decision"),
    [
        *(
            (0, "+0%", "pass"),
            (1, "+0%", "pass"),
            (24 * 2**20, "+0%", "pass"),
            (24 * 2**20 + 1, "+0%", "fail"),
        ),
        *((10**8, "+2%", "pass"), (10**8, "+0.8%", "undecided"), (10**9, "+2%", "fail")),
        *((-24 * 2**20, "-0.1%", "fail"), (-(10**9), "-2%", "pass")),
    ],
)
def test_reserved_memory_has_a_threshold_and_needs_no_test(extra: int, limit: str, decision: str) -> None:
    found = gate(cell(), cell(extra_bytes=extra), f"reserved_peak_bytes:{limit}")
    assert found.decision == decision
    if decision == "undecided":
        assert "24 MiB" in found.why
        assert found.remedy_code == GateCounted()


def test_one_cell_of_many_is_corrected_for_the_number_that_were_looked_at() -> None:
    """8 pairs show 2/256 at best: enough for one of 6 cells, not for one of 7."""
    for count, decision in ((6, "fail"), (7, "undecided")):
        wants = requests(count)
        base = record(*(cell(want) for want in wants))
        new = record(*(cell(want, slow=1.1 if n == 3 else 1.0) for n, want in enumerate(wants)), number=1)
        (found,) = compare_pairs([(base, new)] * 8, ("a", "b"), [parse_gate(DECODE)]).against[0].gates
        assert found.decision == decision, found
        assert isinstance(found.why_code, ChangeShown | MayBeChance)
        assert found.why_code.by.cell is not None
        assert found.why_code.by.cell.clip_seconds == 40


@pytest.mark.parametrize("metric", ["decode_tokens_per_s:-60%", "reserved_peak_bytes:+2%"])
def test_a_gate_over_a_part_of_the_base_cannot_tell(metric: str) -> None:
    """One cell is gone, one throttled, one ran on neither side."""
    wants = requests(4)
    base = record(*map(cell, wants[:3]), sample.out_of_memory(wants[3]))
    part = (cell(wants[0]), labelled("throttled")(cell(wants[1])), sample.out_of_memory(wants[3]))
    sides = side_of("base", [base]), side_of("new", [record(*part, number=1)])
    (found,) = compare(sides[0], [sides[1]], [parse_gate(metric)]).against[0].gates
    assert found.decision == "undecided"
    assert found.why_code == CellsNotCompared(cells=2, ran=3)
    slow = record(cell(wants[0], slow=6.0, extra_bytes=10**9), number=1)
    (found,) = compare(sides[0], [side_of("new", [slow])], [parse_gate(metric)]).against[0].gates
    assert found.decision == "fail"


def without(made: CellResult, metric: str) -> CellResult:
    """A cell whose record lacks one metric."""
    assert made.summary is not None
    repeats = tuple(
        repeat.model_copy(update={metric: None} if metric in type(repeat).model_fields else {})
        for repeat in made.repeats
    )
    summary = made.summary.model_copy(update={metric: None})
    return made.model_copy(update={"summary": summary, "repeats": repeats})


@pytest.mark.parametrize("metric", ["reserved_peak_bytes", "decode_tokens_per_s"])
def test_a_metric_that_one_side_lacks_never_passes(metric: str) -> None:
    text = f"{metric}:{'-90%' if metric.startswith('decode') else '+900%'}"
    lacking, whole = without(cell(), metric), cell()
    for base, new, side in ((whole, lacking, "base"), (lacking, whole, "new")):
        found = gate(base, new, text)
        assert found.decision == "undecided"
        assert isinstance(found.why_code, MetricOnOneSide)
        assert (found.why_code.side, found.why_code.cells) == (side, 1)
        assert found.remedy_code == RecordMetric()
    neither = gate(lacking, lacking, text)
    assert (neither.decision, neither.why_code) == ("undecided", NoCellHasMetric())


def test_one_cell_of_two_without_the_metric_hides_nothing() -> None:
    first, second = requests(2)
    base = record(cell(first), cell(second))
    part = record(cell(first), without(cell(second), "reserved_peak_bytes"), number=1)
    worse = record(cell(first, extra_bytes=10**10), without(cell(second), "reserved_peak_bytes"), number=1)
    decided = [against([base], [new], "reserved_peak_bytes:+2%").gates[0].decision for new in (part, worse)]
    assert decided == ["undecided", "fail"]


def test_a_base_that_ran_nowhere_passes_no_gate() -> None:
    want = sample.requested()
    found = gate(sample.out_of_memory(want), sample.out_of_memory(want))
    assert (found.decision, found.why_code) == ("undecided", NoCellHasMetric())


def sized(size: int) -> CellResult:
    made = cell()
    assert made.summary is not None
    return made.model_copy(update={"summary": made.summary.model_copy(update={"allocated_peak_bytes": size})})


@pytest.mark.parametrize(
    ("base", "new", "limit", "decision"),
    [(0, 0, "+0%", "pass"), (0, 5, "+900%", "fail"), (5, 0, "+0%", "pass"), (5, 0, "-90%", "pass")],
)
def test_a_counted_figure_of_0_is_exact_too(base: int, new: int, limit: str, decision: str) -> None:
    found = gate(sized(base), sized(new), f"allocated_peak_bytes:{limit}")
    assert found.decision == decision
    assert isinstance(found.why_code, RoseFromZero if decision == "fail" else WorstChange)


def test_a_time_of_0_decides_nothing() -> None:
    found = gate(_timed(0.0), cell(), "latency_s:+900%")
    assert (found.decision, found.remedy_code) == ("undecided", RunAlike())


def _timed(latency: float) -> CellResult:
    made = cell()
    repeats = tuple(one.model_copy(update={"latency_s": latency}) for one in made.repeats)
    return made.model_copy(update={"repeats": repeats})


@pytest.mark.parametrize(
    ("base", "new", "decision"),
    [(1e-140, 1e300, "fail"), (1e300, 1e-140, "pass"), (1e300, 5e-324, "undecided"), (1, 1e308, "fail")],
)
def test_absurd_figures_have_a_decision_too(base: float, new: float, decision: str) -> None:
    assert gate(_timed(base), _timed(new), "latency_s:+30%").decision == decision


def test_a_watched_peak_is_known_to_one_percent() -> None:
    base = cell()
    assert base.summary is not None
    assert base.summary.process_peak_bytes is not None
    percent = base.summary.process_peak_bytes // 100
    for more, limit, decision in (
        (0, "+0%", "undecided"),
        (0, "+1%", "pass"),
        (percent // 2, "+2%", "pass"),
        (3 * percent // 2, "+1%", "undecided"),
        (3 * percent, "+1%", "fail"),
    ):
        found = gate(base, cell(extra_bytes=more), f"process_peak_bytes:{limit}")
        assert found.decision == decision
        assert (found.remedy_code == GateCounted()) == (decision == "undecided")


# --- pairs ------------------------------------------------------------------------------------------------


def test_pairs_need_no_quiet_base() -> None:
    drift = (1.0, 1.3, 0.8, 1.5, 0.9, 1.2, 1.1, 0.7)
    for slow, decision in ((1.1, "fail"), (0.98, "pass"), (1.08, "undecided")):
        pairs = [
            (record(cell(slow=d)), record(cell(slow=slow * d * wobble)))
            for d, wobble in zip(drift, NOISY * 2, strict=False)
        ]
        (found,) = compare_pairs(pairs, ("a", "b"), [parse_gate(DECODE)]).against[0].gates
        assert found.decision == decision, found


def test_pairs_that_scatter_more_than_the_gate_is_wide_do_not_say_that_all_is_well() -> None:
    wild = (1.5, 0.7, 1.3, 0.8, 1.4, 0.75, 1.2, 0.9)
    pairs = [(record(cell()), record(cell(slow=slow))) for slow in wild]
    (found,) = compare_pairs(pairs, ("a", "b"), [parse_gate("decode_tokens_per_s:-10%")]).against[0].gates
    assert found.decision == "undecided"


def test_too_few_pairs_cannot_tell_even_that_all_is_well() -> None:
    pairs = [(record(cell()), record(cell(slow=1.01)))] * 5
    (found,) = compare_pairs(pairs, ("a", "b"), [parse_gate(DECODE)]).against[0].gates
    assert found.decision == "undecided"
    assert "range of 5, not 95 %" in found.why


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
