"""The JSON document of `bench compare`, as frozen models. `docs/comparing.md` explains every name.

A change is relative: new / base - 1, so 0.05 is 5 % more. Not available is `None`.
"""

from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import Field

from bench.records.base import ByteInterval, Frozen, Interval
from bench.records.caveats import RecordCaveat
from bench.records.comparison_reasons import (
    CellReason,
    ChangeIntervalKind,
    ChangeNote,
    GateReason,
    GateRemedy,
)
from bench.records.enums import Attention, Provenance, WeightMode

COMPARISON_VERSION: Final = "1.1"


Decision = Literal["pass", "fail", "undecided"]
"""What a gate says."""


class ChangeVerdict(StrEnum):
    """Verdict on the change of one metric."""

    FASTER = "faster"
    SLOWER = "slower"
    LESS = "less"
    MORE = "more"
    SAME = "same"
    SAME_WITHIN_NOISE = "same_within_noise"
    CANNOT_TELL = "cannot_tell"


class Unit(StrEnum):
    """The independent draw, whose spread shows the noise."""

    REPEAT = "repeat"
    PROCESS = "process"
    PAIR = "pair"
    ONCE = "once"
    PREDICTION = "prediction"
    """Nothing was drawn: both sides are predictions, and their difference is exact."""


class Change(Frozen):
    """How one metric differs, in one cell or over all of them."""

    base: int | float | None = Field(
        description="median, of bytes rounded to a whole number; null over several cells"
    )
    new: int | float | None
    change: float | None = Field(description="new / base - 1; null where the base is 0")
    interval: Interval | None = Field(
        description="interval of the change: what the rank test does not reject at 5 %; of a few runs, the "
        "bootstrap interval or the range of their repeats, wider by what runs may differ by; of pairs that "
        "are too few for the test their range; of predicted intervals, the changes of both ends"
    )
    interval_kind: ChangeIntervalKind | None = Field(
        default=None,
        description="rank_95, bootstrap_95, or range: no 95 % interval; null without one, of predictions and "
        "in older documents",
    )
    interval_n: int | None = Field(
        default=None, description="fewest values of a side that the interval is of, in any cell; or pairs"
    )
    p: float | None = Field(
        description="two-sided p of the rank test; null where there is none, as between single processes"
    )
    n_base: int
    n_new: int
    unit: Unit = Field(description="what n counts: repeats of one process, processes, pairs of processes")
    noise: float | None = Field(
        description="the base's own: coefficient of variation of its repeats or of its processes, the larger"
    )
    process_spread: float | None = Field(
        description="how far fresh processes of one build may lie apart: of 3 or more records of the base "
        "measured, else assumed (1.0 is a factor of 2); null where processes or pairs are what is counted"
    )
    verdict: ChangeVerdict
    better: bool | None = Field(description="whether the verdict is the good way; null: neither way")
    note: str = ""
    note_code: ChangeNote | None = Field(default=None, description="the note, with its numbers")
    base_interval: ByteInterval | None = Field(
        default=None, description="the predicted interval, of which `base` is the high end; else null"
    )
    new_interval: ByteInterval | None = None


def _with_whole_bytes(schema: dict[str, Any]) -> None:
    """Say in the schema of `metrics` that medians of bytes are integers."""
    whole = {side: {"type": ["integer", "null"]} for side in ("base", "new")}
    schema["patternProperties"] = {"_bytes$": {**schema["additionalProperties"], "properties": whole}}


class CellComparison(Frozen):
    """One cell of both sides, or why it cannot be compared."""

    cell_id: str
    clip_seconds: float
    max_tokens: int
    attention: Attention
    result: Literal["compared", "refused", "no_longer_runs", "runs_now", "ran_in_neither"]
    base_status: str
    new_status: str
    reasons: tuple[str, ...] = Field(default=(), description="why it was refused, or how it ended")
    reason_codes: tuple[CellReason, ...] = Field(default=(), description="the same, with their numbers")
    metrics: dict[str, Change] = Field(default_factory=dict, json_schema_extra=_with_whole_bytes)


class UnpairedCell(Frozen):
    """A cell of one side only."""

    cell_id: str
    clip_seconds: float
    max_tokens: int
    attention: Attention


class RecordUsed(Frozen):
    """A record that figures come from."""

    id: str
    hash: str
    created_at: str


class SideInfo(Frozen):
    """One side: which records, of what, on which device."""

    label: str = Field(description="card, version of bench and date of the newest record: never a path")
    records: tuple[RecordUsed, ...]
    left_out: int = Field(default=0, description="records of the folder that are of another kind or build")
    model: str
    repo: str | None
    suite: str
    suite_version: str
    suite_origin: Literal["shipped", "own"] | None = Field(
        default=None, description="own: not the suite that bench ships under this name; null in older records"
    )
    device: str
    device_slug: str
    provenance: Provenance
    weight_mode: WeightMode
    bench_version: str
    bench_commit: str | None
    torch: str | None


class Difference(Frozen):
    """Something other than the figures that differs, and does not forbid the comparison."""

    what: str
    base: str | None
    new: str | None


class GateResult(Frozen):
    """The decision of one gate for one side."""

    gate: str = Field(description="as it was given, such as decode_tokens_per_s:-5%")
    metric: str
    limit: float = Field(description="the change that is still allowed, with its sign")
    result: Literal["passed", "failed", "cannot_tell"] = Field(description="`decision` in its older words")
    decision: Decision | None = Field(default=None, description="null in documents that lack it")
    why: str
    why_code: GateReason
    remedy: str = Field(default="", description="what would decide a gate that is undecided")
    remedy_code: GateRemedy | None = Field(default=None, description="the same, with its numbers")


class SideComparison(Frozen):
    """One side compared with the base."""

    new: SideInfo
    same_device: bool
    reasons: tuple[str, ...] = Field(default=(), description="why none of its cells can be compared")
    reason_codes: tuple[CellReason, ...] = Field(default=(), description="the same, with their numbers")
    differences: tuple[Difference, ...]
    caveats: tuple[str, ...]
    caveat_codes: tuple[RecordCaveat, ...] = Field(description="the same, with their numbers")
    overall: dict[str, Change] = Field(description="geometric mean over the cells that were compared")
    cells: tuple[CellComparison, ...]
    only_in_base: tuple[UnpairedCell, ...]
    only_in_new: tuple[UnpairedCell, ...]
    gates: tuple[GateResult, ...]


class Comparison(Frozen):
    """The document: every other side against the first."""

    schema_version: Literal["1.1"] = COMPARISON_VERSION
    method: Literal["separate", "interleaved"]
    base: SideInfo
    against: tuple[SideComparison, ...] = Field(min_length=1)
