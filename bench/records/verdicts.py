"""Why a record or a check has its verdict: one frozen type for each reason, with its numbers.

`bench.wording.verdicts` and `bench.wording.predictions` make the sentences. Bytes and seconds are as in the
record.
"""

from typing import Annotated, Literal

from pydantic import Field

from bench.records.base import ByteInterval, Bytes, Frozen, Seconds
from bench.records.enums import Attention, Fit, PeakMetric, Provenance, Status
from bench.records.reasons import CellShape, ForeignText, UnsupportedReason

Budget = Literal["headless", "desktop"]
"""What a card leaves for one program: without a desktop, or with one."""


class StatedReason(Frozen):
    """A reason that has no code."""

    code: Literal["stated"] = "stated"
    text: ForeignText = Field(description="as a record of schema 1.0, or the file of the catalog, states it")


# --- of one predicted cell --------------------------------------------------------------------------------


class BudgetAnswer(Frozen):
    """The need of a predicted cell and one budget of the card, both as intervals."""

    budget: Budget
    fit: Fit
    need_bytes: ByteInterval
    available_bytes: ByteInterval
    likely_fits: bool | None = Field(
        default=None, description="by typical figures; null where the record has none, as older ones"
    )


class HeldAgainstBudgets(Frozen):
    """The answers that decide, headless first."""

    code: Literal["held_against_budgets"] = "held_against_budgets"
    answers: tuple[BudgetAnswer, ...]


class NoPrediction(Frozen):
    """The record has no prediction of the cell."""

    code: Literal["no_prediction"] = "no_prediction"


class CpuHasNoBudget(Frozen):
    """The prediction is for a CPU."""

    code: Literal["cpu_has_no_budget"] = "cpu_has_no_budget"
    allocated_peak_bytes: Bytes


class CardMemoryUnknown(Frozen):
    """The budgets of the card are not known."""

    code: Literal["card_memory_unknown"] = "card_memory_unknown"


class TotalUnknown(Frozen):
    """The catalog does not say how much memory the card reports."""

    code: Literal["total_unknown"] = "total_unknown"


CellReason = Annotated[
    HeldAgainstBudgets
    | NoPrediction
    | CpuHasNoBudget
    | CardMemoryUnknown
    | TotalUnknown
    | UnsupportedReason
    | StatedReason,
    Field(discriminator="code"),
]
"""Why a cell of a prediction has its verdict."""


# --- of one prediction ------------------------------------------------------------------------------------


class BudgetLimit(Frozen):
    """The most informative limit for one budget of the card, with its answer length."""

    budget: Budget
    fits_s: Seconds | None = Field(description="longest clip that certainly fits; null: none does")
    likely_fits_s: Seconds | None = Field(
        default=None, description="longest clip that likely fits; null: none does where likely_is_known"
    )
    likely_is_known: bool = False
    misfit_s: Seconds | None = Field(description="from here on none fits; null: every longer one may")
    max_tokens: int
    context_s: Seconds | None = Field(
        description="longest clip of the model's context; null where only the cells were predicted"
    )


class PredictedTiny(Frozen):
    """The prediction is for the tiny model."""

    code: Literal["predicted_tiny"] = "predicted_tiny"


class PredictedFit(Frozen):
    """At least one requested cell certainly fits."""

    code: Literal["predicted_fit"] = "predicted_fit"
    limits: tuple[BudgetLimit, ...] = Field(description="one for each budget that is known, headless first")


class PredictedTooClose(Frozen):
    """No requested cell certainly fits, and at least one may."""

    code: Literal["predicted_too_close"] = "predicted_too_close"
    smallest: CellShape = Field(description="smallest cell that is too close to call")
    answer: BudgetAnswer = Field(description="of that cell")
    shorter: BudgetLimit | None = Field(
        description="what fits or likely fits, shorter than all that was asked for"
    )


class PredictedMisfit(Frozen):
    """No requested cell fits."""

    code: Literal["predicted_misfit"] = "predicted_misfit"
    weights_bytes: Bytes | None = Field(description="of the weights, where these alone do not fit")
    available_bytes: Bytes = Field(description="most that the card may leave")
    smallest: CellShape
    answer: BudgetAnswer = Field(description="of that cell")
    shorter: BudgetLimit | None = Field(
        description="what fits or likely fits, shorter than all that was asked for"
    )


class PredictedOnCpu(Frozen):
    """The prediction is for a CPU. The peak is the highest of its cells; null without any."""

    code: Literal["predicted_on_cpu"] = "predicted_on_cpu"
    allocated_peak_bytes: Bytes | None
    cell: CellShape | None


PredictionReason = PredictedTiny | PredictedFit | PredictedTooClose | PredictedMisfit | PredictedOnCpu


# --- of one run -------------------------------------------------------------------------------------------


class MemoryFigure(Frozen):
    """A memory figure, with the name under which a record has it; `needed_bytes` of an emulated card."""

    metric: PeakMetric | Literal["needed_bytes"]
    size_bytes: Bytes


class LargestRun(Frozen):
    """The longest clip that ran, with the most new tokens among those."""

    cell: CellShape
    decode_tokens_per_s: float | None = Field(description="null of an emulated card")
    memory: MemoryFigure | None


class SmokeRun(Frozen):
    """A run of the tiny model: `ran` of its `cells` did."""

    code: Literal["smoke_run"] = "smoke_run"
    ran: int
    cells: int


class OtherDeviceComputed(Frozen):
    """The cells computed on another kind of device than the record is about."""

    code: Literal["other_device_computed"] = "other_device_computed"
    device_kind: ForeignText = Field(description="that they computed on, as the framework names it")
    device: ForeignText = Field(description="name of the device that the record is about")


class Ran(Frozen):
    """At least one cell ran."""

    code: Literal["ran"] = "ran"
    largest: LargestRun
    emulated_total_bytes: Bytes | None
    with_desktop: CellShape | None = Field(description="largest that fits with a desktop; null: not known")
    largest_fits_with_desktop: bool
    misfit: CellShape | None = Field(description="smallest cell that ran out of memory")


class RanHeadless(Frozen):
    """Cells ran, and none fits with a desktop."""

    code: Literal["ran_headless"] = "ran_headless"
    largest: LargestRun
    emulated_total_bytes: Bytes | None
    least_needed_bytes: Bytes | None
    desktop_bytes: Bytes | None = Field(description="what the card leaves with a desktop")


class NothingFits(Frozen):
    """Nothing but out of memory."""

    code: Literal["nothing_fits"] = "nothing_fits"
    smallest: CellShape | None
    emulated_total_bytes: Bytes | None


class EverythingSpilled(Frozen):
    """Nothing ran from the card's own memory."""

    code: Literal["everything_spilled"] = "everything_spilled"
    smallest: CellShape


class NothingSupported(Frozen):
    """No requested cell can run."""

    code: Literal["nothing_supported"] = "nothing_supported"
    reasons: int = Field(description="how many different ones the cells have")
    reason: UnsupportedReason | StatedReason | None = Field(
        discriminator="code", description="the only one; null where they differ"
    )


class NoCells(Frozen):
    """The record has no cells."""

    code: Literal["no_cells"] = "no_cells"


class OnlyPredictions(Frozen):
    """No cell was run."""

    code: Literal["only_predictions"] = "only_predictions"


class NothingFinished(Frozen):
    """No cell came to an end that says anything about memory."""

    code: Literal["nothing_finished"] = "nothing_finished"
    statuses: dict[Status, int] = Field(description="how many cells have which")


RunReason = (
    SmokeRun
    | OtherDeviceComputed
    | Ran
    | RanHeadless
    | NothingFits
    | EverythingSpilled
    | NothingSupported
    | NoCells
    | OnlyPredictions
    | NothingFinished
)
RecordReason = Annotated[RunReason | PredictionReason, Field(discriminator="code")]
"""Why one record has its verdict."""


# --- of several records -----------------------------------------------------------------------------------


class Basis(Frozen):
    """Basis of a merged verdict."""

    provenance: Provenance
    records: int
    machines: int | None = Field(description="null where not every record names its machine")


class RowShape(CellShape):
    """A merged cell."""

    attention: Attention


class OutcomeCount(Frozen):
    """Number of records for each outcome of a merged cell."""

    cell: RowShape
    statuses: dict[Status, int]


class MergedSmoke(Frozen):
    """All records are smoke runs."""

    code: Literal["merged_smoke"] = "merged_smoke"
    basis: Basis


class MergedRan(Frozen):
    """At least one merged cell ran, in `records` of the records."""

    code: Literal["merged_ran"] = "merged_ran"
    basis: Basis
    cell: RowShape
    records: int
    decode_tokens_per_s: float | None = Field(description="null of an emulated card")
    memory: MemoryFigure | None
    with_desktop: RowShape | None = Field(description="largest that fits with a desktop too")
    largest_fits_with_desktop: bool
    none_fits_with_desktop: bool = Field(description="of those that ran; with_desktop null alone: not known")
    close: OutcomeCount | None = Field(description="smallest cell that fits in one record and not in another")
    misfit: RowShape | None = Field(description="smallest cell that ran out of memory")


class MergedTooClose(Frozen):
    """No cell fits in every record, and one fits in some."""

    code: Literal["merged_too_close"] = "merged_too_close"
    basis: Basis
    close: OutcomeCount


class MergedMisfit(Frozen):
    """No cell fits."""

    code: Literal["merged_misfit"] = "merged_misfit"
    basis: Basis
    smallest: RowShape


class MergedUnsupported(Frozen):
    """No cell can run."""

    code: Literal["merged_unsupported"] = "merged_unsupported"
    basis: Basis


class MergedUnknown(Frozen):
    """No cell finished."""

    code: Literal["merged_unknown"] = "merged_unknown"
    basis: Basis


class NewestDecides(Frozen):
    """All records ask for the same settings: the newest decides."""

    code: Literal["newest_decides"] = "newest_decides"
    basis: Basis
    why: RecordReason


class SettingReason(Frozen):
    """Why the newest record of one setting has its verdict."""

    variants: tuple[tuple[str, ...], ...] = Field(
        description="of its lines, as in `variant` of a row; empty where it has none of its own"
    )
    why: RecordReason


class BySetting(Frozen):
    """Records differ in their settings: the newest of each, the one with the longest clip first."""

    code: Literal["by_setting"] = "by_setting"
    basis: Basis
    settings: tuple[SettingReason, ...]


MergedReason = (
    MergedSmoke
    | MergedRan
    | MergedTooClose
    | MergedMisfit
    | MergedUnsupported
    | MergedUnknown
    | NewestDecides
    | BySetting
)
VerdictReason = Annotated[RunReason | PredictionReason | MergedReason, Field(discriminator="code")]
"""Why a check has its verdict."""
