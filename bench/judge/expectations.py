"""Whether the cells of a record are what their suite expects."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic import TypeAdapter, ValidationError

from bench import units
from bench.errors import RecordError
from bench.judge.frontier import is_misfit, is_pruned
from bench.judge.memory import has_spilled, ran_out_beside_another
from bench.records.metrics import METRICS, value
from bench.records.record import CellResult, Record
from bench.suite.expectations import Bound, Expectation
from bench.wording.outcomes import reason_of

_TABLES: Final = TypeAdapter(tuple[Expectation, ...])


class Met(StrEnum):
    """What came of one expectation about one cell."""

    MET = "met"
    NOT_MET = "not_met"
    NOT_JUDGED = "not_judged"


@dataclass(frozen=True, slots=True)
class Finding:
    """One expectation about one cell: what the suite wants, what was found, and whether that is met.

    `key` is `fits` or the name of a metric; `wanted` and `found` are words, of which `found` may hold text
    from a record. Where nothing can be said, `found` says why.
    """

    cell_id: str
    key: str
    wanted: str
    found: str
    met: Met


def stated(record: Record) -> tuple[Expectation, ...]:
    """What the suite of a record expects, in its order; empty where it expects nothing.

    Raises:
        RecordError: the record holds something else in its place.
    """
    tables = record.suite.definition.get("expect", [])
    try:
        return _TABLES.validate_json(json.dumps(tables), strict=True)
    except ValidationError:
        raise RecordError(
            f"record {record.record_id}: the expectations of its suite cannot be read",
            hint="It was changed, or a newer bench wrote it",
        ) from None


def judge_expectations(record: Record) -> tuple[Finding, ...]:
    """Every expectation about every cell that it covers, cell by cell.

    Only a cell that ran, or that the memory did not hold, is judged on `fits`: unsupported, failed and
    interrupted cells say nothing of memory, and neither does one that ran out beside another program. A cell
    that was not run because a smaller one ran out of memory does not fit. A metric is judged on cells that
    ran and have it; a cell that must keep a bound and does not fit keeps none, unless it is expected not to.

    Raises:
        RecordError: as `stated`.
    """
    expectations = stated(record)
    return tuple(finding for cell in record.cells for finding in judge_cell(cell, expectations))


def count(findings: tuple[Finding, ...]) -> dict[Met, int]:
    """How many came out which way."""
    return {met: sum(finding.met is met for finding in findings) for met in Met}


def judge_cell(cell: CellResult, expectations: tuple[Expectation, ...]) -> Iterator[Finding]:
    """Every expectation that covers this cell, as `judge_expectations`."""
    covering = [expectation for expectation in expectations if expectation.covers(cell.requested)]
    must_fit = all(expectation.fits is not False for expectation in covering)
    for expectation in covering:
        if expectation.fits is not None:
            yield _fits(cell, expectation.fits)
        for name, bound in expectation.bounds.items():
            yield _bounded(cell, name, bound, must_fit=must_fit)


def _fits(cell: CellResult, wanted: bool) -> Finding:
    fits, found = _fit_of(cell)
    met = Met.NOT_JUDGED if fits is None else Met.MET if fits is wanted else Met.NOT_MET
    return Finding(cell.cell_id, "fits", "fits" if wanted else "does not fit", found, met)


def _fit_of(cell: CellResult) -> tuple[bool | None, str]:
    if ran_out_beside_another(cell):
        return None, "ran out of memory while another program computed on the card"
    if has_spilled(cell):
        return False, "ran with part of it in system memory"
    if is_pruned(cell):
        return False, f"not run: {reason_of(cell.outcome)}"
    if is_misfit(cell):
        return False, f"out of memory: {reason_of(cell.outcome)}"
    return (True, "ran") if cell.outcome.status == "measured" else (None, _not_run(cell))


def _bounded(cell: CellResult, name: str, bound: Bound, *, must_fit: bool) -> Finding:
    wanted = f"{name} {bound.sign} {_words(name, bound.limit)}"
    if cell.outcome.status != "measured":
        fits, words = _fit_of(cell)
        met = Met.NOT_MET if fits is False and must_fit else Met.NOT_JUDGED
        return Finding(cell.cell_id, name, wanted, words, met)
    found = value(cell.summary, name)
    if found is None:
        return Finding(cell.cell_id, name, wanted, "not available", Met.NOT_JUDGED)
    labels = f" ({', '.join(cell.summary.labels)})" if cell.summary and cell.summary.labels else ""
    met = Met.MET if bound.holds(found) else Met.NOT_MET
    return Finding(cell.cell_id, name, wanted, _words(name, found) + labels, met)


def _words(name: str, quantity: float) -> str:
    """A size in both units; of all else the number, exact enough to see why a bound holds or not."""
    if METRICS[name].unit is units.Unit.BYTES:
        return units.both_units(int(quantity))
    return f"{quantity:.6g}" if abs(quantity) < 999_999 else f"{quantity:,.0f}"


def _not_run(cell: CellResult) -> str:
    reason = reason_of(cell.outcome)
    word = cell.outcome.status.replace("_", " ")
    return f"{word}: {reason}" if reason else word
