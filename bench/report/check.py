"""`check.json`: the compact document that pages and scripts read. `docs/reading-a-report.md` explains it."""

from typing import Final, Literal

from pydantic import Field

from bench.records.base import Bytes, Frozen, Seconds
from bench.records.card import Emulation
from bench.records.words import Attention, Provenance, Verdict, WeightMode
from bench.report.derived import check as predicted
from bench.report.digits import rounded
from bench.report.interface import Row, View

Status = Literal["measured", "predicted", "out_of_memory", "unsupported", "failed", "timeout", "skipped"]
NamedShape = Literal["10/128", "60/512", "300/1024"]

SHAPES: Final[dict[NamedShape, tuple[float, int]]] = {
    "10/128": (10.0, 128),
    "60/512": (60.0, 512),
    "300/1024": (300.0, 1024),
}


class CheckModel(Frozen):
    """Which model the figures are about."""

    name: str
    repo: str | None
    revision: str | None
    weight_mode: WeightMode
    parameters: int
    weights_bytes: Bytes


class CheckGpu(Frozen):
    """Which device; `kind` is `cpu` where it was none."""

    slug: str
    name: str
    kind: Literal["cpu", "cuda"]
    memory_total_bytes: Bytes | None
    compute_capability: str | None
    driver: str | None


class CheckBudget(Frozen):
    """What a program can have of the card, or of the one that was emulated, CUDA context included."""

    provenance: Provenance
    headless_bytes: Bytes | None
    desktop_bytes: Bytes | None
    now_bytes: Bytes | None


class Vram(Frozen):
    """Memory peaks of the cell that took the most; `needed_bytes`: what a card must have for it.

    Of a prediction: the largest cell of those with the best verdict, and `envelope` has its intervals.
    """

    provenance: Provenance
    weight_mode: WeightMode
    clip_seconds: float
    max_tokens: int
    attention: Attention
    allocated_peak_bytes: Bytes | None
    reserved_peak_bytes: Bytes | None
    process_peak_bytes: Bytes | None
    device_peak_bytes: Bytes | None
    resident_peak_bytes: Bytes | None
    needed_bytes: Bytes | None
    envelope: predicted.CheckEnvelope | None


class Speed(Frozen):
    """Medians of one cell: the one with the least latency where several attentions ran this shape."""

    provenance: Provenance
    weight_mode: WeightMode
    attention: Attention
    time_to_first_token_s: Seconds | None
    decode_tokens_per_s: float | None
    latency_s: Seconds | None
    real_time_factor: Seconds | None
    energy_per_token_j: float | None
    energy_per_audio_second_j: float | None
    bandwidth_fraction: float | None
    bf16_fraction: float | None


class FrontierEntry(Frozen):
    """The longest clip that fits and the smallest that does not; null where none was seen.

    Inferred: that clip was not tried, because a smaller cell had run out of memory. Beside a desktop, null
    means that none fits where `desktop_is_known`, else that nothing tells. `variant`: the other settings,
    where cells differ in them. Of a prediction: the longest that surely fits and the smallest that surely
    does not, in each room; `context_s` is the longest that the model's context holds, null where the line
    is drawn through the cells alone.
    """

    provenance: Provenance
    weight_mode: WeightMode
    attention: Attention
    max_tokens: int
    longest_fit_s: float | None
    smallest_misfit_s: float | None
    smallest_misfit_is_inferred: bool
    longest_fit_with_desktop_s: float | None
    desktop_is_known: bool
    headless_is_known: bool
    smallest_misfit_with_desktop_s: float | None
    context_s: float | None
    variant: tuple[str, ...]


class CheckRow(Frozen):
    """One cell. Figures are medians; null for not available.

    `same_kernels_as`: cells that asked for other attention and ran the same kernels; not comparable.
    """

    cell_id: str
    provenance: Provenance
    weight_mode: WeightMode
    clip_seconds: float
    max_tokens: int
    attention: Attention
    status: Status
    reason: str | None
    labels: tuple[str, ...]
    same_kernels_as: tuple[str, ...]
    fits_with_desktop: bool | None
    time_to_first_token_s: Seconds | None
    decode_tokens_per_s: float | None
    latency_s: Seconds | None
    real_time_factor: Seconds | None
    allocated_peak_bytes: Bytes | None
    reserved_peak_bytes: Bytes | None
    process_peak_bytes: Bytes | None
    device_peak_bytes: Bytes | None
    resident_peak_bytes: Bytes | None
    needed_bytes: Bytes | None
    energy_j: float | None
    energy_per_token_j: float | None
    energy_per_audio_second_j: float | None
    bandwidth_fraction: float | None
    bf16_fraction: float | None
    envelope: predicted.CheckEnvelope | None


class RecordReference(Frozen):
    """The record that the figures come from."""

    id: str
    hash: str


class Check(Frozen):
    """The document. `speed` has the three named shapes (clip seconds / new tokens); null: not measured.

    An emulated card has no speed: all three are null, and the rows keep what the device that played it did.
    """

    schema_version: Literal["1.0"]
    model: CheckModel
    gpu: CheckGpu
    provenance: Provenance
    verdict: Verdict
    why: str
    caveats: tuple[str, ...]
    budget: CheckBudget | None
    emulation: Emulation | None
    prediction: predicted.CheckPrediction | None
    vram: Vram | None
    speed: dict[NamedShape, Speed | None] = Field(min_length=3, max_length=3)
    frontier: tuple[FrontierEntry, ...]
    rows: tuple[CheckRow, ...]
    records: tuple[RecordReference, ...] = Field(min_length=1)


def render(view: View) -> str:
    """The document as JSON on one line."""
    return check(view).model_dump_json() + "\n"


def check(view: View) -> Check:
    """The compact form of a view."""
    identity = view.identity
    return Check.model_validate(
        {
            "schema_version": "1.0",
            "model": _pick(CheckModel, identity, name=identity.model, weight_mode=view.weight_mode),
            "gpu": _pick(CheckGpu, identity, name=identity.gpu),
            "provenance": view.provenance,
            "verdict": view.verdict,
            "why": view.why,
            "caveats": view.caveats,
            "budget": _budget(view),
            "emulation": view.emulation,
            "prediction": predicted.prediction(view.derived),
            "vram": _vram(view),
            "speed": {shape: _speed(view, *point) for shape, point in SHAPES.items()},
            "frontier": [_pick(FrontierEntry, point, **_origin(view)) for point in view.frontier],
            "rows": [
                _row(CheckRow, row, reason=row.status.reason or None, status=row.status.code)
                for row in view.rows
            ],
            "records": [{"id": identity.record_id, "hash": identity.content_hash}],
        }
    )


def _origin(view: View) -> dict[str, object]:
    return {"provenance": view.provenance, "weight_mode": view.weight_mode}


def _budget(view: View) -> dict[str, object] | None:
    known = (view.memory.headless_bytes, view.memory.desktop_bytes, view.memory.now_bytes)
    return None if known == (None, None, None) else _pick(CheckBudget, view.memory, **_origin(view))


def _vram(view: View) -> dict[str, object] | None:
    if view.derived is not None:
        typical = next((row for row in view.rows if row.cell_id == view.derived.typical), None)
        return None if typical is None else _row(Vram, typical)
    known = [row for row in view.rows if row.peak.value is not None]
    largest = max(known, key=lambda row: row.peak.value or 0, default=None)
    return None if largest is None else _row(Vram, largest)


def _speed(view: View, clip_s: float, max_tokens: int) -> dict[str, object] | None:
    if view.is_emulated:
        return None
    here = [row for row in view.rows if (row.clip_seconds, row.max_tokens) == (clip_s, max_tokens)]
    timed = [row for row in here if row.figures["latency_s"].value is not None]
    fastest = min(timed, key=lambda row: row.figures["latency_s"].value or 0.0, default=None)
    return None if fastest is None else _row(Speed, fastest)


def _row(model: type[Frozen], row: Row, **given: object) -> dict[str, object]:
    """The fields of `model`: from `given`, else a metric of the row, else an attribute of the row."""
    values = {name: _short(row.figures[name].value) for name in model.model_fields if name in row.figures}
    return _pick(model, row, **values, envelope=predicted.envelope(row.prediction), **given)


def _pick(model: type[Frozen], source: object, **given: object) -> dict[str, object]:
    return {name: given[name] if name in given else getattr(source, name) for name in model.model_fields}


def _short(value: float | int | None) -> float | int | None:
    # Six significant digits are more than any of these figures repeats to.
    return rounded(value, 6) if isinstance(value, float) else value
