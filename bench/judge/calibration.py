"""Comparison of a prediction with measurements on the same card. Pure.

A predicted cell meets the measured cells that are alike in all that decides memory: not in weights, seed,
sampling or the sound of the clip. Cells that spilled, shared the card or ran other kernels than were asked
for, or than are predicted, are left out, and so are records of tiny models, of emulated cards, of other cards
and of other operating systems.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

from bench.judge.caveats import computed_elsewhere, is_smoke
from bench.judge.memory import has_spilled, is_contended, is_emulated
from bench.judge.same_run import MEMORY, PREDICTED, request_key, values
from bench.judge.same_system import is_for, kernel_of, system_of
from bench.records.base import ByteInterval
from bench.records.cell import CellResult, Predicted
from bench.records.enums import Attention, Label, Phase, Provenance
from bench.records.metrics import METRICS
from bench.records.prediction import Comparison, Envelope
from bench.records.record import Record

Metric = Literal["reserved_peak_bytes", "process_peak_bytes", "allocated_peak_bytes"]
COMPARED: Final[tuple[Metric, ...]] = ("reserved_peak_bytes", "process_peak_bytes", "allocated_peak_bytes")

_MATH: Final = "sdpa (unfused)"
"""`effective.language_model.attention` of SDPA by *math*."""

# How the CUDA caching allocator was configured, under its old and its new name.
_ALLOCATOR_SETTINGS: Final = ("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF")

_Key = tuple[object, ...]
_Figure = Callable[[Envelope], ByteInterval | None]


@dataclass(frozen=True, slots=True)
class CellError:
    """One metric of one measured cell against its prediction.

    `predicted` is in bytes; both its ends are the same where one number was predicted, and then
    `is_interval` is false. `record` is the measured one, `cell` its cell.
    """

    record: Record
    cell: CellResult
    metric: Metric
    predicted: ByteInterval
    is_interval: bool
    measured_bytes: int

    @property
    def ratio(self) -> float:
        """Measured / predicted, by the middle of the interval."""
        return self.measured_bytes / ((self.predicted.low + self.predicted.high) / 2)

    @property
    def is_inside(self) -> bool | None:
        """Whether the measured figure is inside the interval, to within what equal runs differ by; None where
        one number was predicted.
        """
        if not self.is_interval:
            return None
        noise = METRICS[self.metric].noise_bytes
        return self.predicted.low - noise <= self.measured_bytes <= self.predicted.high + noise


def compare(derived: Record, measured: Sequence[Record]) -> tuple[Comparison, ...]:
    """Return a comparison for each measured record and metric with a predicted cell.

    In the order of the records, then of `COMPARED`. `ratio_median` is the factor that would calibrate it. See
    `errors` for the compared figures.
    """
    groups: dict[tuple[str, Metric], list[CellError]] = {}
    for error in errors(derived, measured):
        groups.setdefault((error.record.content_hash, error.metric), []).append(error)
    return tuple(map(_comparison, groups.values()))


def errors(derived: Record, measured: Sequence[Record]) -> tuple[CellError, ...]:
    """Return every measured figure that has a prediction, by record, metric and cell.

    On a graphics card: reserved against the modelled allocator; the process, as the driver saw it, against
    `device_peak_bytes`; allocated against the highest phase other than `load`, which the measured figure does
    not cover either (what cuDNN takes is in the measured figure, and in the predicted one it is not). Where
    loading is the peak of all, only allocated is compared; and where the allocator was set up otherwise too.

    On a CPU the measured figure counts the tensors that the dispatcher sees, without the workspace inside one
    operator: it is compared with the highest phase less its workspace. That is what tensors take at the
    predicted peak; it can be less than their own peak, by no more than that workspace.
    """
    predicted = {
        request_key(MEMORY, cell.requested): cell.envelope
        for cell in derived.cells
        if isinstance(cell.outcome, Predicted) and cell.envelope is not None
    }
    distinct = {record.content_hash: record for record in measured}
    return tuple(
        error
        for record in distinct.values()
        if _is_of_this(record, derived)
        for metric in _metrics(derived, record)
        for error in _errors_of(record, metric, derived, predicted)
    )


def _errors_of(
    record: Record, metric: Metric, derived: Record, predicted: Mapping[_Key, Envelope]
) -> Iterator[CellError]:
    figure = _FIGURES[derived.device.kind, metric]
    planned, ran_on = system_of(derived), system_of(record)
    for cell in filter(_counts, record.cells):
        envelope = predicted.get(request_key(MEMORY, cell.requested))
        if envelope is None or not _ran_as_predicted(cell, envelope):
            continue
        if not is_for(planned, envelope.attention_kernel, ran_on, kernel_of(cell)):
            continue
        said = figure(envelope)
        seen = None if cell.summary is None else getattr(cell.summary, metric)
        if said is not None and seen is not None and said.low + said.high > 0:
            yield CellError(record, cell, metric, said, metric != "allocated_peak_bytes", int(seen))


def _comparison(group: Sequence[CellError]) -> Comparison:
    ratios, first = [error.ratio for error in group], group[0]
    return Comparison(
        record_id=first.record.record_id,
        content_hash=first.record.content_hash,
        metric=first.metric,
        cells=len(group),
        inside=sum(bool(error.is_inside) for error in group) if first.is_interval else None,
        ratio_median=median(ratios),
        ratio_low=min(ratios),
        ratio_high=max(ratios),
    )


# --- what belongs together --------------------------------------------------------------------------------


def _is_of_this(record: Record, derived: Record) -> bool:
    """Whether a record was measured with the same model on the same device."""
    return (
        record.provenance is Provenance.MEASURED
        and not is_smoke(record)
        and not is_emulated(record)
        and computed_elsewhere(record) is None
        and values(PREDICTED, record) == values(PREDICTED, derived)
    )


def _counts(cell: CellResult) -> bool:
    """Whether the cell ran undisturbed."""
    if cell.outcome.status != "measured" or has_spilled(cell):
        return False
    return not (is_contended(cell) or (cell.summary is not None and Label.CONTENDED in cell.summary.labels))


def _ran_as_predicted(cell: CellResult, envelope: Envelope) -> bool:
    """Whether both parts of the model ran the requested attention; for SDPA torch may choose *math*."""
    ran, wanted = cell.effective, cell.requested
    if ran is None or ran.language_model is None or ran.audio_encoder is None:
        return False
    is_math = envelope.attention_kernel == "math" and wanted.attention is Attention.SDPA
    expected = _MATH if is_math else wanted.attention.value
    seen = (ran.language_model.attention, ran.audio_encoder.attention)
    return seen == (expected, wanted.encoder_attention.value)


def _metrics(derived: Record, record: Record) -> Iterable[Metric]:
    """Return the comparable metrics: the predicted allocator has default settings."""
    was_set_up = any(record.environment.variables.get(name) for name in _ALLOCATOR_SETTINGS)
    return ("allocated_peak_bytes",) if derived.device.kind == "cpu" or was_set_up else COMPARED


# --- what was predicted -----------------------------------------------------------------------------------


def _reserved(envelope: Envelope) -> ByteInterval | None:
    return None if envelope.peak_phase is Phase.LOAD else envelope.reserved_peak_bytes


def _process(envelope: Envelope) -> ByteInterval | None:
    return None if envelope.peak_phase is Phase.LOAD else envelope.device_peak_bytes


def _allocated(envelope: Envelope) -> ByteInterval | None:
    phases = [peak for phase, peak in envelope.phases.items() if phase is not Phase.LOAD]
    return _point(max((peak.allocated_peak_bytes for peak in phases), default=envelope.allocated_peak_bytes))


def _tensors(envelope: Envelope) -> ByteInterval | None:
    phases = [peak for phase, peak in envelope.phases.items() if phase is not Phase.LOAD]
    tensors = [peak.allocated_peak_bytes - peak.workspace_bytes for peak in phases]
    return _point(max(tensors, default=envelope.allocated_peak_bytes - envelope.workspace_peak_bytes))


def _point(size_bytes: int) -> ByteInterval:
    return ByteInterval(low=size_bytes, high=size_bytes)


_FIGURES: Final[dict[tuple[str, Metric], _Figure]] = {
    ("cuda", "reserved_peak_bytes"): _reserved,
    ("cuda", "process_peak_bytes"): _process,
    ("cuda", "allocated_peak_bytes"): _allocated,
    ("cpu", "allocated_peak_bytes"): _tensors,
}
