"""Reasons of a comparison: one frozen type for each, with its numbers.

`bench.wording.comparison` makes the sentence of each. A change is relative: 0.05 is 5 % more.
"""

from typing import Annotated, Literal

from pydantic import Field

from bench.records.aspects import Aspect
from bench.records.base import Bytes, Frozen, Interval, Seconds
from bench.records.enums import Attention, Label
from bench.records.metrics import IntervalKind
from bench.records.reasons import OutcomeReason

ChangeIntervalKind = Literal[IntervalKind, "rank_95"]
"""`rank_95`: what the rank test of processes or pairs does not reject. The others are of repeats, wider by
what runs may differ by; a `range` is also that of pairs that are too few for the test.
"""


class CellPlace(Frozen):
    """A cell, by what a person knows it by."""

    clip_seconds: Seconds
    max_tokens: int
    attention: Attention


# --- cells ------------------------------------------------------------------------------------------------


class Differs(Frozen):
    """The sides differ in one aspect. Not every value is short enough to be stated."""

    code: Literal["differs"] = "differs"
    aspect: Aspect
    base: str | int | float | None = Field(description="null where it is not stated or not available")
    new: str | int | float | None


class Disturbed(Frozen):
    """A cell ran, and its figures are not those of the undisturbed device."""

    code: Literal["disturbed"] = "disturbed"
    side: Literal["base", "new"] | None = Field(description="null where the other side did not run")
    label: Label


class NotReached(Frozen):
    """The run was interrupted before the cell."""

    code: Literal["not_reached"] = "not_reached"


class NotRun(Frozen):
    """The cell was predicted: nothing ran."""

    code: Literal["not_run"] = "not_run"


class Ended(Frozen):
    """How the cell ended on the side where it did not run, as its record states it."""

    code: Literal["ended"] = "ended"
    reason: str
    reason_code: OutcomeReason | None = Field(description="null in records of schema 1.0")


class PairsLeftOut(Frozen):
    """Pairs of runs that were disturbed or cannot be compared."""

    code: Literal["pairs_left_out"] = "pairs_left_out"
    left_out: int
    pairs: int


CellReason = Annotated[
    Differs | Disturbed | NotReached | NotRun | Ended | PairsLeftOut, Field(discriminator="code")
]
"""Why a cell was refused, how it ended, or what else its reader has to know."""


# --- changes ----------------------------------------------------------------------------------------------


class TooFewValues(Frozen):
    """No rank test of so few values can show a difference."""

    code: Literal["too_few_values"] = "too_few_values"


class TooFewRepeats(Frozen):
    """Each side needs more repeats."""

    code: Literal["too_few_repeats"] = "too_few_repeats"
    least: int


class OneValueEach(Frozen):
    """Each process reports the metric once, so that its scatter is not known."""

    code: Literal["one_value_each"] = "one_value_each"


class WithinAssumedSpread(Frozen):
    """The change is no larger than what fresh processes are assumed to differ by."""

    code: Literal["within_assumed_spread"] = "within_assumed_spread"
    spread: float


class WithinMeasuredSpread(Frozen):
    """The change is no larger than what processes of the base differ by."""

    code: Literal["within_measured_spread"] = "within_measured_spread"
    spread: float


class NotClear(Frozen):
    """The change is beyond the spread of processes, and not by enough for single processes."""

    code: Literal["not_clear"] = "not_clear"


class TooFewRuns(Frozen):
    """So few runs do not show how runs differ: repeats of one process share its luck."""

    code: Literal["too_few_runs"] = "too_few_runs"
    base: int
    new: int
    factor: float | None = Field(
        description="within which two runs of one build are assumed to lie; null where nothing is assumed"
    )


class BeyondAssumedSpread(Frozen):
    """Few runs, and a change that is larger than runs of one build are assumed to differ by."""

    code: Literal["beyond_assumed_spread"] = "beyond_assumed_spread"
    factor: float


class EndsDisagree(Frozen):
    """One end of a predicted interval rose and the other one fell."""

    code: Literal["ends_disagree"] = "ends_disagree"


class PeakMayBeMissing(Frozen):
    """The metric is watched and not counted."""

    code: Literal["peak_may_be_missing"] = "peak_may_be_missing"


class WithinSegmentOrder(Frozen):
    """Equal builds differ by so much in what the allocator reserves."""

    code: Literal["within_segment_order"] = "within_segment_order"
    threshold_bytes: Bytes


class DriftNotTested(Frozen):
    """The rank test takes the processes of a side for independent: drift between sessions is not in p."""

    code: Literal["drift_not_tested"] = "drift_not_tested"


class NoRatio(Frozen):
    """A value is 0."""

    code: Literal["no_ratio"] = "no_ratio"


ChangeNote = Annotated[
    TooFewValues
    | TooFewRepeats
    | OneValueEach
    | WithinAssumedSpread
    | WithinMeasuredSpread
    | NotClear
    | TooFewRuns
    | BeyondAssumedSpread
    | EndsDisagree
    | PeakMayBeMissing
    | WithinSegmentOrder
    | DriftNotTested
    | NoRatio,
    Field(discriminator="code"),
]
"""What limits the verdict on one metric."""


# --- gates ------------------------------------------------------------------------------------------------


class CellsLost(Frozen):
    """Cells that ran in the base no longer run."""

    code: Literal["cells_lost"] = "cells_lost"
    cells: int
    first: CellPlace
    first_status: str = Field(description="status of its outcome in the new side")


class CellsNotCompared(Frozen):
    """Cells that ran in the base could not be compared."""

    code: Literal["cells_not_compared"] = "cells_not_compared"
    cells: int
    ran: int = Field(description="cells that ran in the base")


class NoCellHasMetric(Frozen):
    """No cell that can be compared has the metric on both sides."""

    code: Literal["no_cell_has_metric"] = "no_cell_has_metric"


class MetricOnOneSide(Frozen):
    """Cells that ran on both sides have the metric on one side only."""

    code: Literal["metric_on_one_side"] = "metric_on_one_side"
    side: Literal["base", "new"] = Field(description="which has it in the first of these cells")
    cells: int
    first: CellPlace


class NoRatioInCell(Frozen):
    """A value of the cell is 0."""

    code: Literal["no_ratio_in_cell"] = "no_ratio_in_cell"
    cell: CellPlace


class RoseFromZero(Frozen):
    """The value was 0 in the base, and is not."""

    code: Literal["rose_from_zero"] = "rose_from_zero"
    cell: CellPlace


class WorstChange(Frozen):
    """The worst change of any cell."""

    code: Literal["worst_change"] = "worst_change"
    change: float


class BaseTooNoisy(Frozen):
    """The base's own noise is more than half the gate."""

    code: Literal["base_too_noisy"] = "base_too_noisy"
    noise: float


class ProcessesTooFarApart(Frozen):
    """What processes of one build may differ by is more than half the gate."""

    code: Literal["processes_too_far_apart"] = "processes_too_far_apart"
    spread: float


class ChangeAt(Frozen):
    """A change in one cell, or over all that were compared."""

    change: float | None
    interval: Interval | None
    interval_kind: ChangeIntervalKind | None = Field(default=None, description="as in the change")
    interval_n: int | None = None
    cell: CellPlace | None = Field(description="null: over all cells")
    cells: int = Field(description="how many")


class ChangeShown(Frozen):
    """The change that decides the gate."""

    code: Literal["change_shown"] = "change_shown"
    by: ChangeAt
    p: float | None = Field(default=None, description="of a gate that failed by a test over all cells")
    note: ChangeNote | None = Field(default=None, description="what limits it, of a gate that failed")


class MayBeChance(Frozen):
    """The change is beyond the limit, and its interval reaches within it."""

    code: Literal["may_be_chance"] = "may_be_chance"
    by: ChangeAt
    note: ChangeNote | None


class NotDecided(Frozen):
    """Nothing decides whether there is a change."""

    code: Literal["not_decided"] = "not_decided"
    by: ChangeAt
    note: ChangeNote | None


class NoInterval(Frozen):
    """The change of single processes has too few values for an interval."""

    code: Literal["no_interval"] = "no_interval"
    by: ChangeAt
    note: ChangeNote | None


class WiderThanGate(Frozen):
    """The interval of the change is wider than the gate: more rounds make it narrower."""

    code: Literal["wider_than_gate"] = "wider_than_gate"
    by: ChangeAt


class MayReachBeyond(Frozen):
    """The change is within the limit, and its interval reaches beyond it."""

    code: Literal["may_reach_beyond"] = "may_reach_beyond"
    by: ChangeAt
    note: ChangeNote | None = Field(default=None, description="what makes the interval wide")


# `BaseTooNoisy`, `ProcessesTooFarApart`, `NotDecided` and `WiderThanGate`, and of the notes `NotClear` and
# `WithinAssumedSpread`, are in documents of earlier versions only: they are read, and no longer made.
GateReason = Annotated[
    CellsLost
    | CellsNotCompared
    | NoCellHasMetric
    | MetricOnOneSide
    | NoRatioInCell
    | RoseFromZero
    | WorstChange
    | BaseTooNoisy
    | ProcessesTooFarApart
    | ChangeShown
    | MayBeChance
    | NotDecided
    | NoInterval
    | WiderThanGate
    | MayReachBeyond,
    Field(discriminator="code"),
]
"""Why a gate failed, passed or could not be decided."""


# --- what would decide a gate -----------------------------------------------------------------------------


class RunProcesses(Frozen):
    """Runs of each build on one machine, or pairs of runs in alternation."""

    code: Literal["run_processes"] = "run_processes"
    runs: int = Field(description="of each build, roughly")


class RunPairs(Frozen):
    """Pairs of runs in alternation."""

    code: Literal["run_pairs"] = "run_pairs"
    pairs: int = Field(description="roughly")


class AtTheLimit(Frozen):
    """The change is about the limit, so that more runs will hardly decide."""

    code: Literal["at_the_limit"] = "at_the_limit"


class RunAlike(Frozen):
    """The same cells on both sides, on a device without other work."""

    code: Literal["run_alike"] = "run_alike"


class RecordMetric(Frozen):
    """Records of both sides that have the metric."""

    code: Literal["record_metric"] = "record_metric"


class GateCounted(Frozen):
    """A gate on a counted metric, which repeats exactly."""

    code: Literal["gate_counted"] = "gate_counted"


GateRemedy = Annotated[
    RunProcesses | RunPairs | AtTheLimit | RunAlike | RecordMetric | GateCounted, Field(discriminator="code")
]
"""What would decide a gate that is undecided."""
