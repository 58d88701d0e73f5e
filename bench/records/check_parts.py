"""The parts of a check document: model, card, memory, speed, frontier, cells, environment, records."""

from typing import Literal

from pydantic import Field

from bench.records.base import Frozen, Utc
from bench.records.check_figures import CheckMetrics, Figure
from bench.records.check_prediction import CheckEnvelope
from bench.records.words import Attention, Fit, Phase, Provenance, Verdict, WeightMode

Status = Literal["measured", "predicted", "out_of_memory", "unsupported", "failed", "timeout", "skipped"]
PeakMetric = Literal[
    "process_peak_bytes",
    "device_peak_bytes",
    "reserved_peak_bytes",
    "allocated_peak_bytes",
    "resident_peak_bytes",
]


class CheckModel(Frozen):
    """Which model the figures are about."""

    name: str
    repo: str | None = Field(description="repository on the Hub; null for local, random or tiny weights")
    revisions: tuple[str, ...] = Field(description="every commit on the Hub that a record names")
    weight_modes: tuple[WeightMode, ...]
    config_sha256: str
    parameters: int


class CheckGpu(Frozen):
    """Which device; `kind` is `cpu` where it was none."""

    slug: str
    name: str
    kind: Literal["cpu", "cuda"]
    memory_total_bytes: Figure
    compute_capability: str | None


class CheckPoint(Frozen):
    """Which cell a figure is of. `variant`: other settings, where cells of the document differ in them."""

    cell_id: str
    attention: Attention
    clip_seconds: float
    max_tokens: int
    weight_mode: WeightMode
    variant: tuple[str, ...]


class CheckPhase(Frozen):
    """Memory at its highest in one phase."""

    allocated_peak_bytes: Figure
    reserved_peak_bytes: Figure
    resident_peak_bytes: Figure


class CheckPeaks(Frozen):
    """Memory of one cell: what it took, over all and in each phase, and what was predicted of it."""

    point: CheckPoint
    allocated_peak_bytes: Figure
    reserved_peak_bytes: Figure
    process_peak_bytes: Figure
    device_peak_bytes: Figure
    resident_peak_bytes: Figure
    needed_bytes: Figure
    predicted_bytes: Figure = Field(
        description="the predicted interval of what a card must have; null where nothing was predicted"
    )
    phases: dict[Phase, CheckPhase]


class CheckVram(Frozen):
    """The weights and the budget of the card, and the cell that took the most.

    The budget is what a program can have of the card, CUDA context included; of a card that was emulated,
    what that one would leave.
    """

    weights_bytes: Figure
    headless_bytes: Figure
    desktop_bytes: Figure
    now_bytes: Figure = Field(description="free when the run began")
    largest: CheckPeaks | None = Field(
        description="the cell that took the most; of a prediction the largest of those with the best verdict"
    )


class CheckSpeed(Frozen):
    """One cell of a named shape: the median of its records."""

    point: CheckPoint
    time_to_first_token_s: Figure
    decode_tokens_per_s: Figure
    latency_s: Figure
    real_time_factor: Figure
    energy_j: Figure
    energy_per_token_j: Figure
    energy_per_audio_second_j: Figure
    bandwidth_fraction: Figure
    bf16_fraction: Figure


class CheckFrontier(Frozen):
    """The longest clip that fits and the smallest that does not, for one attention and `max_tokens`.

    Null: none was seen. Of a prediction: the longest that surely fits and the smallest that surely does not.
    """

    provenance: Provenance
    machines: int | None = Field(description="machines of those records; null where one has no key")
    records: int = Field(description="records in which the longest clip ran; of a prediction 1, the newest")
    weight_mode: WeightMode
    attention: Attention
    max_tokens: int
    variant: tuple[str, ...]
    longest_fit_s: float | None
    smallest_misfit_s: float | None
    smallest_misfit_is_inferred: bool = Field(
        description="that clip was not tried, because a smaller cell had run out of memory"
    )
    longest_fit_with_desktop_s: float | None = Field(
        description="null: none where desktop_is_known, else nothing tells"
    )
    smallest_misfit_with_desktop_s: float | None = Field(description="of a prediction only")
    headless_is_known: bool
    desktop_is_known: bool
    context_s: float | None = Field(
        description="longest clip that the model's context holds; of a prediction"
    )
    disagrees: bool = Field(description="what one record fits, another does not")


class CheckRow(CheckMetrics):
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
    labels: dict[str, int] = Field(description="how many records carry which")
    left_out: int = Field(description="disturbed records that no median of speed counts: clean ones exist")
    disagrees: tuple[str, ...] = Field(
        description="fit, and metrics in which machines differ by more than their noise"
    )
    same_kernels_as: tuple[str, ...] = Field(
        description="cells that asked for other attention and ran the same kernels: not comparable"
    )
    fits_with_desktop: bool | None = Field(description="on every machine that tells; null where none does")
    peak: PeakMetric | None = Field(description="which of the memory figures says most")
    envelope: CheckEnvelope | None = Field(description="what was predicted of this cell")


class CheckEnvironment(Frozen):
    """A set of software that records share."""

    bench_version: str
    bench_commit: str | None
    python: str
    torch: str
    transformers: str
    driver: str | None
    os: str
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
        description="1, 2, ...: records with the same number ran on one machine; null where nothing tells"
    )
