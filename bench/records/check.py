"""The check document: what is known of one model on one card, from one record or from many.

`docs/check.md` explains each name to those who read the JSON.
"""

from typing import Final, Literal

from pydantic import Field

from bench.records.base import ByteInterval, Bytes, Frozen, Seconds, Utc
from bench.records.card import Emulation
from bench.records.caveats import Caveat
from bench.records.enums import (
    Attention,
    AttentionKernel,
    Fit,
    PeakMetric,
    Phase,
    Provenance,
    Status,
    Verdict,
    WeightMode,
)
from bench.records.metrics import FIGURES, IntervalKind, Metric, Section, with_fields
from bench.records.prediction import Ceiling, Comparison, PlannedSystem
from bench.records.reasons import OutcomeReason
from bench.records.verdicts import VerdictReason

CHECK_VERSION: Final = "1.1"
NamedShape = Literal["10/128", "60/512", "300/1024"]
SHAPES: Final[dict[NamedShape, tuple[float, int]]] = {
    "10/128": (10.0, 128),
    "60/512": (60.0, 512),
    "300/1024": (300.0, 1024),
}
"""Clip seconds and new tokens of a short question, a minute's transcript and long listening."""


class CheckFigure(Frozen):
    """A figure. Null in its place: not available.

    Of one record it is the record's own median; of several the median over machines of the medians over the
    records of each machine.
    """

    value: float | int | None = Field(description="null where only a range is known, as of a prediction")
    low: float | int | None = Field(
        description="of one record the interval that it states; of several the least of them"
    )
    high: float | int | None = Field(description="the same at the other end")
    interval_kind: IntervalKind | None = Field(
        default=None, description="bootstrap_95, or range; null without an interval, and of a prediction"
    )
    provenance: Provenance
    machines: int | None = Field(description="distinct machines, by their keys; null where a record has none")
    records: int = Field(ge=1, description="records that it rests on")


class CheckWholeFigure(CheckFigure):
    """A `CheckFigure` of bytes or of a count: its numbers are whole. The median of two is rounded."""

    value: int | None
    low: int | None
    high: int | None


Figure = CheckFigure | None
Whole = CheckWholeFigure | None


class _Figures(Frozen):
    """Base of what has a figure for each metric of a section, under its name."""

    def figure(self, metric: str) -> Figure:
        """The figure of a metric; None where it is not available."""
        found: Figure = getattr(self, metric)
        return found


def _of(*sections: Section) -> list[Metric]:
    return [metric for metric in FIGURES.values() if metric.section in sections]


def _field(metric: Metric) -> tuple[object, object]:
    return Whole if metric.unit.is_whole else Figure, Field(description=metric.meaning)


_Derived = Literal["derived"]


class CheckEnvelope(Frozen):
    """The memory of one cell as it was predicted, under the names of the record."""

    provenance: _Derived
    verdict: Verdict
    headless: Fit | None = Field(
        description="whether the whole interval fits the card without a desktop; null where that is not known"
    )
    desktop: Fit | None = Field(description="the same with a desktop")
    headless_likely: bool | None = Field(
        default=None, description="whether it likely fits, by typical figures; null where that is not known"
    )
    desktop_likely: bool | None = Field(default=None, description="the same with a desktop")
    weights_bytes: Bytes | None
    kv_cache_bytes: Bytes | None
    activations_peak_bytes: Bytes | None
    workspace_peak_bytes: Bytes | None
    convolution_workspace_bytes: ByteInterval | None
    allocated_peak_bytes: Bytes | None
    reserved_peak_bytes: ByteInterval | None
    context_bytes: ByteInterval | None
    device_peak_bytes: ByteInterval | None = Field(description="what a card must have")
    peak_phase: Phase | None
    peak_op: str | None
    attention_kernel: AttentionKernel | None = Field(default=None, description="of the language model")
    ceiling: Ceiling | None = Field(description="with three significant digits")


class CheckPrediction(Frozen):
    """The prediction as a whole: available memory as intervals, and its error against measured records."""

    provenance: _Derived
    room_headless_bytes: ByteInterval | None = Field(
        description="null where it was not requested or is not known"
    )
    room_desktop_bytes: ByteInterval | None
    typical_headless_bytes: Bytes | None = Field(
        default=None,
        description="what typical figures leave for the framework's allocator, after the CUDA context",
    )
    typical_desktop_bytes: Bytes | None = Field(default=None, description="the same with a desktop")
    system: PlannedSystem | None = Field(default=None, description="null for a CPU and in records of 1.0")
    compared: tuple[Comparison, ...] = Field(
        description="empty: no measured record of the card was there, so nothing confirms the prediction"
    )


class CheckModel(Frozen):
    """The model of the figures."""

    name: str
    repo: str | None = Field(description="repository on the Hub; null for local, random or tiny weights")
    revisions: tuple[str, ...] = Field(description="every commit on the Hub that a record names")
    weight_modes: tuple[WeightMode, ...]
    config_sha256: str
    parameters: int | None


class CheckGpu(Frozen):
    """The device; `kind` is `cpu` for a CPU."""

    slug: str
    name: str
    kind: Literal["cpu", "cuda"]
    memory_total_bytes: Whole
    compute_capability: str | None


class CheckPoint(Frozen):
    """The cell of a figure. `variant`: other settings, where cells of the document differ in them."""

    cell_id: str
    attention: Attention
    clip_seconds: float
    max_tokens: int
    weight_mode: WeightMode
    variant: tuple[str, ...]


class CheckPhase(Frozen):
    """Memory at its highest in one phase."""

    allocated_peak_bytes: Whole
    reserved_peak_bytes: Whole
    resident_peak_bytes: Whole


@with_fields(_of(Section.MEMORY, Section.CARD), _field)
class CheckPeaks(_Figures):
    """Memory of one cell: measured, over all and in each phase, and predicted."""

    point: CheckPoint
    predicted_bytes: Whole = Field(
        description="the predicted interval of what a card must have; null where nothing was predicted"
    )
    phases: dict[Phase, CheckPhase]


class CheckVram(Frozen):
    """The weights and the budget of the card, and the cell that took the most.

    The budget is what a program can have of the card, CUDA context included; of a card that was emulated,
    what that one would leave.
    """

    weights_bytes: Whole
    headless_bytes: Whole
    desktop_bytes: Whole
    now_bytes: Whole = Field(description="free when the run began")
    largest: CheckPeaks | None = Field(
        description="the cell that took the most; of a prediction the largest of those with the best verdict"
    )


@with_fields(_of(Section.SPEED, Section.ENERGY), _field)
class CheckSpeed(_Figures):
    """One cell of a named shape: the median of its records."""

    point: CheckPoint


class PredictedLengths(Frozen):
    """The three lengths of a predicted line against one budget of the card.

    Up to `fits_s` every clip fits for certain, from `misfit_s` on none does. Up to `likely_fits_s` a clip
    fits by typical figures of the CUDA context, the driver's reserve and the desktop: no probability.
    """

    fits_s: Seconds | None = Field(description="null: none certainly fits")
    likely_fits_s: Seconds | None = Field(
        description="null: none likely fits, or not known (`likely_is_known`)"
    )
    misfit_s: Seconds | None = Field(description="null: none is sure not to fit")
    likely_is_known: bool = Field(description="false for records without typical figures, as older ones")


class FrontierLine(Frozen):
    """The longest clip that fits and the smallest that does not, for one attention and `max_tokens`.

    Null: none was seen. Of a prediction: the longest that certainly fits and the smallest that cannot.
    `settings` are the values of `bench.judge.same_run.SETTINGS`, `variant` names those that differ.
    """

    provenance: Provenance
    machines: int | None = Field(description="machines of those records; null where one has no key")
    records: int = Field(
        default=1, description="records in which the longest clip ran; of a prediction 1, the newest"
    )
    weight_mode: WeightMode
    attention: Attention
    max_tokens: int
    variant: tuple[str, ...] = ()
    longest_fit_s: float | None
    smallest_misfit_s: float | None
    smallest_misfit_is_inferred: bool = Field(
        default=False, description="that clip was not tried, because a smaller cell had run out of memory"
    )
    undecided_s: float | None = Field(
        default=None, description="shortest clip above the longest fit that failed or passed its time limit"
    )
    undecided_status: Literal["failed", "timeout"] | None = Field(default=None, description="of that clip")
    longest_fit_with_desktop_s: float | None = Field(
        description="null: none where desktop_is_known, else not known"
    )
    smallest_misfit_with_desktop_s: float | None = Field(default=None, description="of a prediction only")
    headless_is_known: bool = True
    desktop_is_known: bool
    predicted_headless: PredictedLengths | None = Field(
        default=None, description="predictions only; null also where headless was not requested"
    )
    predicted_desktop: PredictedLengths | None = Field(default=None, description="the same with a desktop")
    context_s: float | None = Field(
        default=None, description="longest clip that the model's context holds; of a prediction"
    )
    disagrees: bool = Field(default=False, description="what one record fits, another does not")
    settings: tuple[str, ...] = Field(description="every setting of its cells, whether they differ or not")
    attention_kernel: AttentionKernel | None = Field(
        default=None, description="of the language model: that ran, or that is predicted"
    )

    @property
    def is_predicted(self) -> bool:
        """Whether nothing ran: what lies between a fit and a misfit is then too close to call."""
        return self.provenance is Provenance.DERIVED


@with_fields(FIGURES.values(), _field)
class CheckRow(_Figures):
    """One cell. Figures are null where not available."""

    cell_id: str
    attention: Attention
    clip_seconds: float
    max_tokens: int
    profile: str
    dtype: str
    weight_mode: WeightMode
    variant: tuple[str, ...]
    provenance: Provenance
    machines: int | None = Field(description="machines of those records; null where one has no key")
    records: int = Field(description="records in which it came out as status says")
    status: Status = Field(description="the one that says most, where records differ")
    statuses: dict[Status, int] = Field(description="how many records say which; status is of the first")
    fit: Fit | None = Field(description="too_close_to_call where it ran in one record and not in another")
    reason: str | None
    reason_code: OutcomeReason | None = Field(description="null without a reason, and for records of 1.0")
    labels: dict[str, int] = Field(description="how many records carry which")
    left_out: int = Field(description="disturbed records that no median of speed counts: clean ones exist")
    disagrees: tuple[str, ...] = Field(
        description="fit, and metrics in which machines differ by more than their noise"
    )
    same_kernels_as: tuple[str, ...] = Field(
        description="cells with another requested attention that ran the same kernels: not comparable"
    )
    fits_with_desktop: bool | None = Field(
        description="on every machine where that is known; null where on none"
    )
    peak: PeakMetric | None = Field(description="which of the memory figures says most")
    system: PlannedSystem | None = Field(
        default=None, description="that a prediction is for; null of a run, a CPU, and in records of 1.0"
    )
    attention_kernel: AttentionKernel | None = Field(
        default=None, description="of the language model: that ran, or that is predicted"
    )
    envelope: CheckEnvelope | None = Field(
        description="what was predicted of this cell; of a run for its system and its kernel"
    )


class Software(Frozen):
    """The software of a record."""

    bench_version: str
    bench_commit: str | None
    python: str
    torch: str | None
    transformers: str | None
    driver: str | None
    os: str


class CheckEnvironment(Software):
    """A set of software that records share."""

    records: int


class CheckRecord(Frozen):
    """A record that the figures come from."""

    id: str
    hash: str
    path: str | None = Field(description="relative to this document; null where that is not known")
    created_at: Utc
    provenance: Provenance
    weight_mode: WeightMode
    suite: str
    verdict: Verdict
    cells: int
    machine: int | None = Field(
        description="1, 2, ...: records with the same number ran on one machine; null where that is not known"
    )


class Check(Frozen):
    """The document. An emulated card has no speed: rows keep the figures of the device that emulated it."""

    schema_version: Literal["1.1"]
    model: CheckModel
    gpu: CheckGpu
    provenance: Provenance = Field(description="of what the verdict rests on")
    verdict: Verdict
    why: str
    why_code: VerdictReason = Field(description="the same, as an object")
    caveats: tuple[str, ...]
    caveat_codes: tuple[Caveat, ...] = Field(description="the same, as objects")
    emulation: Emulation | None = Field(description="the card that was emulated")
    prediction: CheckPrediction | None
    vram: CheckVram
    speed: dict[NamedShape, tuple[CheckSpeed, ...]] = Field(
        min_length=3,
        max_length=3,
        description="clip seconds / new tokens: one entry for each attention that ran it",
    )
    frontier: tuple[FrontierLine, ...]
    rows: tuple[CheckRow, ...]
    environment: tuple[CheckEnvironment, ...] = Field(min_length=1)
    records: tuple[CheckRecord, ...] = Field(min_length=1)
