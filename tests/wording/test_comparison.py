"""How figures and reasons of a comparison are written."""

import pytest

from bench.judge import same_run
from bench.records import comparison_reasons as reasons
from bench.records.aspects import Aspect
from bench.records.base import Interval
from bench.records.comparison import UnpairedCell
from bench.records.enums import Attention, Label
from bench.wording.comparison import (
    between,
    cell_name,
    cell_reason,
    change_note,
    gate_reason,
    gate_remedy,
    p_value,
    percent,
    share,
)


@pytest.mark.parametrize(
    ("p", "text"), [(0.0, "< 0.0001"), (0.00009, "< 0.0001"), (0.0078, "0.0078"), (1.0, "1")]
)
def test_no_p_is_0(p: float, text: str) -> None:
    assert p_value(p) == text


def test_a_cell_has_the_name_that_it_has_in_a_report() -> None:
    cell = UnpairedCell(
        cell_id="0", clip_seconds=10.0, max_tokens=1024, attention=Attention.FLASH_ATTENTION_2
    )
    assert cell_name(cell) == "10 s × 1,024 (FlashAttention 2)"


def test_percentages_have_a_sign_where_they_are_changes() -> None:
    assert [percent(0.05), percent(-0.029), percent(0.0), percent(1e-5)] == [
        "+5.0 %",
        "-2.9 %",
        "+0.0 %",
        "+0.001 %",
    ]
    assert share(0.047) == "4.7 %"
    assert between(Interval(low=-0.05, high=0.012)) == "-5.0 to +1.2 %"


PLACE = reasons.CellPlace(clip_seconds=30, max_tokens=256, attention=Attention.SDPA)
BY = reasons.ChangeAt(change=0.05, interval=Interval(low=0.01, high=0.09), cell=None, cells=3)
BY_RANGE = BY.model_copy(update={"interval_kind": "range", "interval_n": 3})
IN_CELL = reasons.ChangeAt(change=0.05, interval=None, cell=PLACE, cells=1)
SPREAD = reasons.WithinAssumedSpread(spread=0.07)


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (
            reasons.Differs(aspect=Aspect.SUITE_NAME, base="quick", new="mine"),
            "another suite: quick against mine",
        ),
        (
            reasons.Differs(aspect=Aspect.SUITE_ORIGIN, base="shipped", new="own"),
            "another suite of the same name: shipped against own",
        ),
        (
            reasons.Differs(aspect=Aspect.RAN_DTYPE, base=None, new="torch.float16"),
            "effective dtype: unknown against torch.float16",
        ),
        (
            reasons.Differs(aspect=Aspect.RAN_ATTENTION, base=None, new="sdpa"),
            "attention of the language model was observed on one side only",
        ),
        (
            reasons.Differs(aspect=Aspect.RAN_MLP_POSITIONS, base=None, new=512),
            "mlp positions at once: all against 512",
        ),
        (
            reasons.Differs(aspect=Aspect.RAN_KERNEL, base="flash", new="memory_efficient"),
            "attention kernel of the language model: flash against memory_efficient",
        ),
        (
            reasons.Differs(aspect=Aspect.RAN_GROUPING, base="grouped", new="ungrouped"),
            "calls of SDPA in the language model: grouped against ungrouped",
        ),
        (
            reasons.Disturbed(side="base", label=Label.THROTTLED),
            "the base ran while the device slowed itself down",
        ),
        (
            reasons.Differs(aspect=Aspect.WARM_UP, base=8, new=None),
            "another warm-up: 8 tokens against unknown",
        ),
        (reasons.Disturbed(side=None, label=Label.CONTENDED), "shared the device with other work"),
        (reasons.NotReached(), "not reached: the run was interrupted"),
        (reasons.NotRun(), "predicted: nothing ran"),
        (reasons.Ended(reason="CUDA out of memory", reason_code=None), "CUDA out of memory"),
        (
            reasons.PairsLeftOut(left_out=1, pairs=8),
            "1 of 8 pairs left out: disturbed or not comparable",
        ),
    ],
)
def test_reasons_about_a_cell(reason: reasons.CellReason, sentence: str) -> None:
    assert cell_reason(reason) == sentence


@pytest.mark.parametrize(
    "aspect", [*same_run.COMPARED_RUNS, *same_run.COMPARED_ON_ONE_DEVICE, *same_run.IMPROVEMENTS]
)
def test_every_difference_that_a_comparison_finds_has_a_sentence(aspect: Aspect) -> None:
    assert cell_reason(reasons.Differs(aspect=aspect, base="a{x}", new="b"))


@pytest.mark.parametrize(
    ("note", "sentence"),
    [
        (None, ""),
        (reasons.TooFewValues(), "too few values: no test can separate a change from chance"),
        (reasons.TooFewRepeats(least=3), "too few repeats: each side needs 3 or more"),
        (reasons.OneValueEach(), "one value from each run: its variation is not known"),
        (
            SPREAD,
            "within the assumed difference of fresh processes of one build (7.0 %)",
        ),
        (
            reasons.WithinMeasuredSpread(spread=0.031),
            "within the measured difference of the base's processes (3.1 %)",
        ),
        (reasons.NotClear(), "too small a change to show with single processes"),
        (
            reasons.TooFewRuns(base=1, new=1, factor=2.0),
            (
                "one run on each side: repeats of one process do not show how much runs differ "
                "(assumed: up to a factor of 2)"
            ),
        ),
        (
            reasons.TooFewRuns(base=2, new=1, factor=1.35),
            (
                "2 and 1 runs: repeats of one process do not show how much runs differ "
                "(assumed: up to a factor of 1.35)"
            ),
        ),
        (
            reasons.TooFewRuns(base=1, new=1, factor=None),
            "one run on each side: repeats of one process do not show how much runs differ",
        ),
        (
            reasons.BeyondAssumedSpread(factor=2.0),
            "beyond a factor of 2, the assumed difference of single runs of one build",
        ),
        (
            reasons.EndsDisagree(),
            "one end of the predicted interval rose, the other end fell",
        ),
        (reasons.PeakMayBeMissing(), "sampled, not counted: a short peak may be missing"),
        (
            reasons.WithinSegmentOrder(threshold_bytes=25_165_824),
            "equal builds differ by up to 24 MiB, by the order of segments",
        ),
        (
            reasons.DriftNotTested(),
            "p ignores drift of the machine between sessions; compare --interleave removes it",
        ),
        (reasons.NoRatio(), "a value of 0: no ratio"),
    ],
)
def test_notes_on_a_change(note: reasons.ChangeNote | None, sentence: str) -> None:
    assert change_note(note) == sentence


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (
            reasons.CellsLost(cells=2, first=PLACE, first_status="out_of_memory"),
            "2 cells no longer run that ran in the base: 30 s × 256 (SDPA), out of memory",
        ),
        (reasons.CellsNotCompared(cells=2, ran=3), "2 of 3 cells of the base could not be compared"),
        (reasons.NoCellHasMetric(), "no cell that can be compared has this metric on both sides"),
        (
            reasons.MetricOnOneSide(side="new", cells=2, first=PLACE),
            "2 cells with this metric on one side only: 30 s × 256 (SDPA), on the new side",
        ),
        (reasons.RoseFromZero(cell=PLACE), "0 in the base, above 0 now: 30 s × 256 (SDPA)"),
        (reasons.NoRatioInCell(cell=PLACE), "no ratio in 30 s × 256 (SDPA)"),
        (reasons.WorstChange(change=0.02), "+2.0 % at worst"),
        (
            reasons.BaseTooNoisy(noise=0.145),
            "the noise of the base is 14.5 %, more than half the gate; use --interleave or more records",
        ),
        (
            reasons.ProcessesTooFarApart(spread=0.07),
            (
                "processes of one build may differ by 7.0 %, more than half the gate; use "
                "--interleave or more records"
            ),
        ),
        (reasons.ChangeShown(by=BY, p=0.0078), "+5.0 % (+1.0 to +9.0 %) over 3 cells, p = 0.0078"),
        (reasons.ChangeShown(by=BY, p=0.0), "+5.0 % (+1.0 to +9.0 %) over 3 cells, p < 0.0001"),
        (reasons.ChangeShown(by=IN_CELL), "+5.0 % in 30 s × 256 (SDPA)"),
        (
            reasons.ChangeShown(by=BY_RANGE, note=reasons.BeyondAssumedSpread(factor=2.0)),
            (
                "+5.0 % (+1.0 to +9.0 %, range of 3, not 95 %) over 3 cells; beyond a factor "
                "of 2, the assumed difference of single runs of one build"
            ),
        ),
        (
            reasons.MayBeChance(by=BY, note=None),
            "+5.0 % (+1.0 to +9.0 %) over 3 cells: beyond the limit, but this may be chance",
        ),
        (
            reasons.NotDecided(by=BY, note=reasons.NotClear()),
            "+5.0 % (+1.0 to +9.0 %): too small a change to show with single processes",
        ),
        (
            reasons.NoInterval(by=IN_CELL, note=reasons.TooFewRepeats(least=3)),
            "+5.0 % in 30 s × 256 (SDPA): too few repeats: each side needs 3 or more",
        ),
        (
            reasons.WiderThanGate(by=BY),
            "+5.0 % (+1.0 to +9.0 %): the interval is wider than the gate; more rounds narrow it",
        ),
        (
            reasons.MayReachBeyond(by=IN_CELL),
            "+5.0 % in 30 s × 256 (SDPA): within the limit, but the true change may be beyond",
        ),
    ],
)
def test_reasons_of_a_gate(reason: reasons.GateReason, sentence: str) -> None:
    assert gate_reason(reason) == sentence


@pytest.mark.parametrize(
    ("remedy", "sentence"),
    [
        (None, ""),
        (reasons.RunProcesses(runs=4), "about 4 runs of each build on one machine, or --interleave"),
        (reasons.RunPairs(pairs=24), "about 24 pairs: --interleave --rounds 24"),
        (
            reasons.AtTheLimit(),
            "the change is close to the limit: choose another limit, more runs will hardly decide",
        ),
        (
            reasons.RunAlike(),
            "run the same cells on both sides, without other work on the device",
        ),
        (reasons.RecordMetric(), "use records of both sides that have this metric"),
        (reasons.GateCounted(), "use a gate on allocated_peak_bytes, which repeats exactly"),
    ],
)
def test_what_would_decide_a_gate(remedy: reasons.GateRemedy | None, sentence: str) -> None:
    assert gate_remedy(remedy) == sentence
