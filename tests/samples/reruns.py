"""Records of one card that differ as real ones do: another id, another machine, a little faster or slower."""

from collections.abc import Sequence
from datetime import timedelta

from bench.check.document import merge
from bench.check.summarise import summarise
from bench.records.base import ByteInterval
from bench.records.cell import CellResult
from bench.records.check import Check, CheckFigure, CheckRow
from bench.records.enums import Profile
from bench.records.record import Record
from bench.store.record_files import seal
from tests.samples import records as sample

SPEEDS = ("decode_tokens_per_s",)
MACHINES = ("a" * 64, "b" * 64, "c" * 64)
CELL = sample.measured(sample.requested())


def rerun(record: Record, nth: int, *, machine: str | None = None, faster: float = 1.0) -> Record:
    """The same cells in another record, on a machine, with its decode speed times `faster`."""
    changed = record.model_copy(
        update={
            "record_id": f"{nth:012x}",
            "created_at": record.created_at + timedelta(hours=nth),
            "machine_key": machine,
            "cells": tuple(_faster(cell, faster) for cell in record.cells),
        }
    )
    return seal(changed.model_dump(mode="json"))


def _faster(cell: CellResult, factor: float) -> CellResult:
    rate = cell.summary.decode_tokens_per_s if cell.summary else None
    if factor == 1.0 or cell.summary is None or rate is None:
        return cell
    return with_rate(cell, rate.median * factor)


def with_rate(cell: CellResult, rate: float, spread: float = 0.004) -> CellResult:
    """The same cell with another decode speed, and an interval of that relative width about it."""
    assert cell.summary is not None
    found = sample.statistic([rate * (1 - spread), rate, rate * (1 + spread)])
    return cell.model_copy(update={"summary": cell.summary.model_copy(update={"decode_tokens_per_s": found})})


def labelled(cell: CellResult, *labels: str) -> CellResult:
    """The same cell with these labels."""
    assert cell.summary is not None
    return cell.model_copy(update={"summary": cell.summary.model_copy(update={"labels": labels})})


def small(cells: Sequence[CellResult] | None = None) -> Record:
    """One cell that ran, or these."""
    return sample.record(cells or [sample.measured(sample.requested())])


def merged(*records: Record) -> Check:
    """The check document of these records."""
    return merge(summarise(record) for record in records)


def only_row(*records: Record) -> CheckRow:
    """The row of records that hold one and the same cell."""
    (row,) = merged(*records).rows
    return row


def lean(record: Record, nth: int) -> Record:
    """The same plan for the other profile: it needs 1 GiB less, and is another record."""
    cells = [_lean(cheaper(cell, 2**30)) for cell in record.cells]
    return replanned(record, cells, nth)


def replanned(record: Record, cells: Sequence[CellResult], nth: int) -> Record:
    """The same plan with other cells, as another record."""
    changed = record.model_copy(update={"cells": tuple(cells), "record_id": f"{nth:012x}"})
    return seal(changed.model_dump(mode="json"))


def _lean(cell: CellResult) -> CellResult:
    want = cell.requested.model_copy(update={"profile": Profile.LEAN})
    changed = {"cell_id": sample.cell_id(want), "requested": want, "effective": None}
    return cell.model_copy(update=changed)


def cheaper(cell: CellResult, by_bytes: int) -> CellResult:
    """A predicted cell that needs so much less of the card."""
    assert cell.envelope is not None
    need = cell.envelope.device_peak_bytes
    assert need is not None
    less = ByteInterval(low=need.low - by_bytes, high=need.high - by_bytes)
    return cell.model_copy(update={"envelope": cell.envelope.model_copy(update={"device_peak_bytes": less})})


def at(rate: float, nth: int, machine: str | None = None, *labels: str) -> Record:
    """A record of one cell with this decode speed."""
    cell = labelled(with_rate(CELL, rate), *labels)
    return rerun(small([cell]), nth, machine=machine)


def figure_of(row: CheckRow, metric: str) -> CheckFigure:
    found = row.figure(metric)
    assert found is not None
    return found


def rate(check: Check) -> CheckFigure:
    """The decode speed of the only cell."""
    (row,) = check.rows
    return figure_of(row, "decode_tokens_per_s")
