"""Costs from measured records of the card, and which prediction counts cuDNN's workspace."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from bench.hardware.card_costs import catalog_costs
from bench.judge.calibrated_costs import calibration
from bench.records.base import ByteInterval
from bench.records.cell import CellResult
from bench.records.enums import Provenance
from bench.records.record import Record
from bench.units import GIB, MIB
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples import records as sample

CLIPS = (10.0, 60.0)
WITHOUT, WITH = 11_000, 11_200


def plan(reserved_mib: int) -> Record:
    cells = []
    for clip_s in CLIPS:
        cell = derived.predicted(sample.requested(clip_s))
        assert cell.envelope is not None
        reserved = ByteInterval(low=10_000 * MIB, high=reserved_mib * MIB)
        envelope = cell.envelope.model_copy(update={"reserved_peak_bytes": reserved})
        cells.append(cell.model_copy(update={"envelope": envelope}))
    return derived.derived_record(cells)


def ran(clip_s: float, reserved_mib: int, context_mib: int) -> CellResult:
    cell = cards.measured(clip_s)
    assert cell.summary is not None
    assert cell.device_memory is not None
    return cell.model_copy(
        update={
            "summary": cell.summary.model_copy(update={"reserved_peak_bytes": reserved_mib * MIB}),
            "device_memory": cell.device_memory.model_copy(update={"context_bytes": context_mib * MIB}),
        }
    )


def run(reserved: Sequence[int], contexts: Sequence[int] = (400, 420)) -> Record:
    cells = [ran(*cell) for cell in zip(CLIPS, reserved, contexts, strict=True)]
    return cards.with_card(cells)


def test_context_and_reserve_are_those_of_the_records_and_their_evidence_names_them() -> None:
    records = [run((10_500, 10_600)), run((10_500, 10_600), (500, 500))]
    found = calibration(plan(WITH), plan(WITHOUT), records)
    assert found.records == tuple(record.record_id for record in records)
    assert found.context is not None
    assert (found.context.low_bytes, found.context.high_bytes) == (400 * MIB, 500 * MIB)
    assert found.context.typical_bytes == 455 * MIB  # the median of 410, the middle of a range, and 500
    assert f"400 to 420 MiB (record {records[0].record_id}, 2 cells)" in found.context.evidence
    assert found.reserve is not None
    assert cards.STATE.memory_reserved_bytes == found.reserve.low_bytes == found.reserve.high_bytes


def test_a_reserve_that_the_driver_reports_now_stays() -> None:
    found = calibration(plan(WITH), plan(WITHOUT), [run((10_500, 10_600))])
    catalog = catalog_costs(12 * GIB, "linux")
    assert found.applied(catalog).reserve == found.reserve
    now = found.applied(type(catalog)(catalog.reserve, catalog.desktop, read_at=datetime.now(UTC)))
    assert (now.reserve, now.context) == (catalog.reserve, found.context)


@pytest.mark.parametrize(
    ("reserved", "takes"), [((10_500, WITHOUT + 24), False), ((10_500, WITHOUT + 25), True)]
)
def test_cudnn_counts_where_a_cell_reserved_more_than_without_it(
    reserved: tuple[int, int], takes: bool
) -> None:
    found = calibration(plan(WITH), plan(WITHOUT), [run(reserved)])
    assert found.takes_convolution is takes
    assert found.applied(catalog_costs(12 * GIB, "linux")).convolution is takes


def test_cudnn_counts_where_no_cell_would_show_it() -> None:
    found = calibration(plan(WITHOUT + 24), plan(WITHOUT), [run((10_500, 10_600))])
    assert found.takes_convolution is None
    assert found.applied(catalog_costs(12 * GIB, "linux")).convolution


def test_records_that_no_prediction_is_held_against_change_nothing() -> None:
    smoke = run((10_500, 10_600)).model_copy(update={"provenance": Provenance.SMOKE})
    found = calibration(plan(WITH), plan(WITHOUT), [smoke])
    costs = catalog_costs(12 * GIB, "linux")
    assert (found.records, found.applied(costs)) == ((), costs)
