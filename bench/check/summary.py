"""Summary of one record for merging: head and cells, without raw repeats. The index stores these."""

from datetime import datetime
from typing import Final, Literal, NamedTuple

from pydantic import Field

from bench.records.base import Frozen, Utc
from bench.records.card import Emulation
from bench.records.caveats import RecordCaveat
from bench.records.check import (
    CheckEnvelope,
    CheckPrediction,
    FrontierLine,
    Software,
)
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
from bench.records.findings import Finding, Severity
from bench.records.metrics import IntervalKind
from bench.records.prediction import PlannedSystem
from bench.records.reasons import OutcomeReason
from bench.records.verdicts import RecordReason

SUMMARY_VERSION: Final = 11


class Estimate(NamedTuple):
    """A value, and the interval that its record states, with its kind."""

    value: float
    low: float | None = None
    high: float | None = None
    kind: IntervalKind | None = None


class CellSummary(Frozen):
    """One cell. `settings` are the values of `bench.judge.same_run.SETTINGS`."""

    cell_id: str
    attention: Attention
    clip_seconds: float
    max_tokens: int
    settings: tuple[str, ...]
    profile: str
    dtype: str
    weight_mode: WeightMode
    provenance: Provenance
    status: Status
    fit: Fit | None = None
    is_inferred: bool = Field(default=False, description="not tried, because a smaller cell did not fit")
    reason: str | None = None
    reason_code: OutcomeReason | None = None
    labels: tuple[str, ...] = ()
    same_kernels_as: tuple[str, ...] = ()
    fits_with_desktop: bool | None = None
    peak: PeakMetric | None = None
    system: PlannedSystem | None = Field(default=None, description="of a prediction")
    kernel: AttentionKernel | None = Field(default=None, description="that ran, or that is predicted")
    envelope: CheckEnvelope | None = None
    figures: dict[str, Estimate] = Field(default={}, description="under the names of the metrics")
    phases: dict[Phase, dict[str, int]] = Field(default={}, description="under the names of CheckPhase")


class ModelSummary(Frozen):
    """The model of a record."""

    name: str
    repo: str | None
    revision: str | None
    weight_mode: WeightMode
    config_sha256: str
    parameters: int | None
    weights_bytes: int | None


class DeviceSummary(Frozen):
    """The device of a record, and what a program can have of it."""

    slug: str
    name: str
    kind: Literal["cpu", "cuda"]
    memory_total_bytes: int | None
    compute_capability: str | None
    headless_bytes: int | None
    desktop_bytes: int | None
    now_bytes: int | None


class CellFigures(NamedTuple):
    """Some metrics of one measured cell. `place`: of the cell in its record; None: it has no such figure."""

    cell_id: str
    place: int
    values: tuple[float | None, ...]


class Judged(Frozen):
    """The file of a record as the validator judged it, and who signed it. Only a site asks for it."""

    file_sha256: str = Field(description="of the file itself: the site publishes its bytes")
    key_id: str | None = Field(description="of the key that is said to have signed it; null: unsigned")
    signature_holds: bool = Field(description="false also of an unsigned record")
    hash_holds: bool
    handle: str | None = Field(description="name that the sender chose, cleaned")
    note: str | None = Field(description="of the sender, cleaned")
    license: str | None = Field(description="under which it was sent")
    findings: tuple[Finding, ...]
    series: tuple[str, ...] = Field(description="digests of the raw times, by which a copy is found")
    figures: tuple[CellFigures, ...] = Field(description="those in which records of a card are compared")

    @property
    def signer(self) -> str | None:
        """The key whose signature holds; None: nobody's."""
        return self.key_id if self.signature_holds else None


class ChallengeHead(Frozen):
    """The challenge of a record and its answer, with what decides whether another answer compares."""

    site: str = Field(description="that issued it, as it names itself, cleaned")
    key_id: str = Field(description="of the key of that site")
    nonce: str
    issued_at: Utc
    checks: str | None = Field(description="content hash of the record whose answer it checks")
    model: str
    weight_mode: WeightMode
    is_published: bool = Field(description="whether it states weights that the model's publisher released")
    status: Status
    token_ids: tuple[int, ...] | None


class RecordHead(Frozen):
    """A record without its cells. `elsewhere`: the device that its cells computed on, where it is another."""

    id: str
    hash: str
    content: str | None = Field(default=None, description="of a prediction: hash without its id and time")
    path: str | None = None
    created_at: Utc
    provenance: Provenance
    machine_key: str | None
    suite: str
    model: ModelSummary
    device: DeviceSummary
    software: Software
    system: PlannedSystem | None = Field(default=None, description="that it ran on, or is a prediction for")
    emulation: Emulation | None
    prediction: CheckPrediction | None
    typical: str | None = Field(default=None, description="the representative cell of a prediction")
    elsewhere: str | None = None
    verdict: Verdict
    why: RecordReason
    caveats: tuple[RecordCaveat, ...]
    lines: tuple[FrontierLine, ...]
    cells: int
    challenge: ChallengeHead | None = None
    judged: Judged | None = None


class RecordSummary(Frozen):
    """One record, as merging reads it."""

    head: RecordHead
    cells: tuple[CellSummary, ...]


class Brief(NamedTuple):
    """What a site asks of every file before it knows which cards have changed: little, and quick to read."""

    hash: str
    created_at: datetime
    file_sha256: str
    key_id: str | None
    signer: str | None
    is_wrong: bool
    """A finding is an error."""
    is_suspicious: bool
    series: tuple[str, ...]
    challenge: ChallengeHead | None = None


def brief_of(head: RecordHead) -> Brief:
    """Return the short form of a judged record.

    Raises:
        ValueError: it was read for another purpose.
    """
    judged = head.judged
    if judged is None:
        raise ValueError(f"{head.id} was not judged")
    severities = {finding.severity for finding in judged.findings}
    return Brief(
        hash=head.hash,
        created_at=head.created_at,
        file_sha256=judged.file_sha256,
        key_id=judged.key_id,
        signer=judged.signer,
        is_wrong=Severity.ERROR in severities,
        is_suspicious=Severity.SUSPICIOUS in severities,
        series=judged.series,
        challenge=head.challenge,
    )
