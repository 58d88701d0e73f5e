"""A record against what bench predicts for its card, and against other records of that card.

What is outside is not wrong: it is held for a person, with the numbers.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from statistics import median
from typing import Final, Literal

from bench.compare.evidence import CARD_FACTOR, HOST_FACTOR
from bench.errors import BenchError
from bench.judge.calibration import errors
from bench.judge.same_system import system_of
from bench.predict.planner import Planner, plan_request
from bench.predict.target import targets
from bench.records.enums import Provenance
from bench.records.metrics import METRICS, value
from bench.records.prediction import PlannedSystem
from bench.records.record import Record
from bench.run.run_spec import RunOptions, is_released
from bench.validate.candidate import Candidate, Found

FEWEST_OTHERS: Final = 3
"""Records of the card from which on one can be an outlier among them."""
COMPARED: Final = ("time_to_first_token_s", "decode_tokens_per_s", "latency_s", "reserved_peak_bytes")
"""Metrics in which records of a card are compared."""


def against(candidate: Candidate, others: Sequence[Record]) -> Iterator[Found]:
    """Yield the figures outside the predicted interval, and those far from the other records of the card."""
    if candidate.record.provenance is Provenance.MEASURED:
        yield from outside_prediction(candidate.record)
        distinct = {record.content_hash: record for record in others}
        distinct.pop(candidate.record.content_hash, None)
        yield from _outliers(candidate, tuple(distinct.values()))


# --- predictions ------------------------------------------------------------------------------------------


def outside_prediction(record: Record) -> Iterator[Found]:
    """Yield the figures of memory outside the interval that is predicted for the card."""
    predicted = _predicted(record)
    places = {cell.cell_id: place for place, cell in enumerate(record.cells)}
    for error in errors(predicted, (record,)) if predicted is not None else ():
        if error.is_inside is False:
            path = f"cells[{places[error.cell.cell_id]}].summary.{error.metric}"
            low, high = error.predicted.low, error.predicted.high
            facts = {"found_bytes": error.measured_bytes, "low_bytes": low, "high_bytes": high}
            yield Found("outside_prediction", path, facts)


def _predicted(record: Record) -> Record | None:
    """The prediction of the record's cells; None where bench has none without tracing the model."""
    system = system_of(record)
    if system is None or not is_released(record.model.name) or not record.cells:
        return None
    asked = [cell.requested for cell in record.cells]
    options = RunOptions(
        model=record.model.name,
        profile=asked[0].profile,
        clip_seconds=tuple(dict.fromkeys(each.clip_seconds for each in asked)),
        max_tokens=tuple(dict.fromkeys(each.max_tokens for each in asked)),
        attention=tuple(dict.fromkeys(each.attention for each in asked)),
    )
    return _prediction(options, record.device.slug, system)


@lru_cache(maxsize=32)
def _prediction(options: RunOptions, slug: str, system: PlannedSystem) -> Record | None:
    """Predict once for the records of a folder: most have the cells of the same few suites."""
    try:
        (target,) = targets([slug], system)
        return Planner(plan_request(options), may_trace=False).record(target)
    except BenchError:  # an unknown card, a clip that is not stored
        return None


# --- other records ----------------------------------------------------------------------------------------


def _outliers(candidate: Candidate, others: Sequence[Record]) -> Iterator[Found]:
    factor = noise_factor(candidate.record.device.kind)
    known: dict[tuple[str, str], list[float]] = {}
    for record in others:
        for cell in record.cells:
            for metric in COMPARED:
                found = value(cell.summary, metric)
                if found is not None:
                    known.setdefault((cell.cell_id, metric), []).append(found)
    for path, cell in candidate.measured:
        for metric in COMPARED:
            own, there = value(cell.summary, metric), known.get((cell.cell_id, metric), [])
            if own is None or len(there) < FEWEST_OTHERS or not median(there):
                continue
            ratio = far(metric, own, median(there), factor)
            if ratio is not None:
                facts = {"found": own, "ratio": ratio, "records": len(there)}
                yield Found("outlier_of_card", f"{path}.summary.{metric}", facts)


def noise_factor(kind: Literal["cpu", "cuda"]) -> float:
    """Return the factor within which two runs on one kind of device agree."""
    return CARD_FACTOR if kind == "cuda" else HOST_FACTOR


def far(metric: str, own: float, middle: float, factor: float) -> float | None:
    """Return the ratio of a figure to the median of others, where it is beyond noise; None within.

    `middle` is above 0.
    """
    ratio, noise = own / middle, METRICS[metric].noise_bytes / middle
    return None if 1 / factor - noise <= ratio <= factor + noise else ratio
