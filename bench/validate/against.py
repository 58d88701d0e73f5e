"""A record against what bench predicts for its card, and against other records of that card.

What is outside is not wrong: it is held for a person, with the numbers.
"""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

from bench.compare.evidence import CARD_FACTOR, HOST_FACTOR
from bench.errors import BenchError
from bench.judge.calibration import errors
from bench.judge.same_system import system_of
from bench.predict.planner import Planner, plan_request
from bench.predict.target import targets
from bench.records.enums import Provenance
from bench.records.metrics import METRICS, value
from bench.records.record import Record
from bench.run.run_spec import RunOptions, is_released
from bench.validate.candidate import Candidate, Found

FEWEST_OTHERS: Final = 3
"""Records of the card from which on one can be an outlier among them."""
_COMPARED: Final = ("time_to_first_token_s", "decode_tokens_per_s", "latency_s", "reserved_peak_bytes")


def against(candidate: Candidate, others: Sequence[Record]) -> Iterator[Found]:
    """Yield the figures outside the predicted interval, and those far from the other records of the card."""
    if candidate.record.provenance is Provenance.MEASURED:
        yield from _outside_prediction(candidate.record)
        distinct = {record.content_hash: record for record in others}
        distinct.pop(candidate.record.content_hash, None)
        yield from _outliers(candidate, tuple(distinct.values()))


# --- predictions ------------------------------------------------------------------------------------------


def _outside_prediction(record: Record) -> Iterator[Found]:
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
    try:
        (target,) = targets([record.device.slug], system)
        return Planner(plan_request(options), may_trace=False).record(target)
    except BenchError:  # an unknown card, a clip that is not stored
        return None


# --- other records ----------------------------------------------------------------------------------------


def _outliers(candidate: Candidate, others: Sequence[Record]) -> Iterator[Found]:
    factor = CARD_FACTOR if candidate.record.device.kind == "cuda" else HOST_FACTOR
    known: dict[tuple[str, str], list[float]] = {}
    for record in others:
        for cell in record.cells:
            for metric in _COMPARED:
                found = value(cell.summary, metric)
                if found is not None:
                    known.setdefault((cell.cell_id, metric), []).append(found)
    for path, cell in candidate.measured:
        for metric in _COMPARED:
            own, there = value(cell.summary, metric), known.get((cell.cell_id, metric), [])
            if own is None or len(there) < FEWEST_OTHERS or not median(there):
                continue
            ratio = own / median(there)
            noise = METRICS[metric].noise_bytes / median(there)
            if not 1 / factor - noise <= ratio <= factor + noise:
                facts = {"found": own, "ratio": ratio, "records": len(there)}
                yield Found("outlier_of_card", f"{path}.summary.{metric}", facts)
