"""A record against what bench predicts for its card: only what it stores, nothing is traced.

What is outside is not wrong: it is held for a person, with the numbers.
"""

from collections.abc import Iterator
from functools import lru_cache

from bench.errors import BenchError
from bench.judge.calibration import errors
from bench.judge.same_system import system_of
from bench.predict.planner import Planner, plan_request
from bench.predict.target import targets
from bench.records.enums import Provenance
from bench.records.prediction import PlannedSystem
from bench.records.record import Record
from bench.run.run_spec import RunOptions, is_released
from bench.validate.candidate import Candidate, Found


def outside_prediction(candidate: Candidate) -> Iterator[Found]:
    """Yield the memory of a measured record outside the interval that is predicted for its card."""
    record = candidate.record
    if record.provenance is not Provenance.MEASURED:
        return
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
    return stored_prediction(options, record.device.slug, system)


@lru_cache(maxsize=32)
def stored_prediction(options: RunOptions, slug: str, system: PlannedSystem) -> Record | None:
    """Return the prediction of cells for a card; None where bench has none without tracing the model.

    Made once for the records of a folder: most have the cells of the same few suites.
    """
    try:
        (target,) = targets([slug], system)
        return Planner(plan_request(options), may_trace=False).record(target)
    except BenchError:  # an unknown card, a clip that is not stored
        return None
