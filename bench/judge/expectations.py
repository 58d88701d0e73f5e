"""Whether the cells of a record are what their suite expects."""

import json
from collections.abc import Iterator
from typing import Final

from pydantic import TypeAdapter, ValidationError

from bench.errors import RecordError
from bench.judge.frontier import is_misfit
from bench.judge.memory import has_spilled, ran_out_while_contended
from bench.records.cell import CellResult
from bench.records.expectations import Bound, ExpectationResult, Finding, FoundEnd, FoundValue
from bench.records.metrics import value
from bench.records.record import Record
from bench.suite.expectations import Expectation

_TABLES: Final = TypeAdapter(tuple[Expectation, ...])


def stated(record: Record) -> tuple[Expectation, ...]:
    """Return the expectations of a record's suite, in its order; empty without any.

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

    On `fits` only a cell that ran, or that did not fit, is judged: unsupported, failed and interrupted cells
    say nothing of memory, and neither does one that ran out while another program computed. A cell that was
    not run because a smaller one ran out of memory does not fit. A metric is judged on cells that ran and
    have it; a cell that does not fit meets no bound, unless it is expected not to fit.

    Raises:
        RecordError: as `stated`.
    """
    expectations = stated(record)
    return tuple(finding for cell in record.cells for finding in judge_cell(cell, expectations))


def count(findings: tuple[Finding, ...]) -> dict[ExpectationResult, int]:
    """Number of findings with each result."""
    return {met: sum(finding.met is met for finding in findings) for met in ExpectationResult}


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
    fits, end = _fit_of(cell)
    met = (
        ExpectationResult.NOT_JUDGED
        if fits is None
        else ExpectationResult.MET
        if fits is wanted
        else ExpectationResult.NOT_MET
    )
    return Finding(cell.cell_id, "fits", wanted, end, met)


def _fit_of(cell: CellResult) -> tuple[bool | None, FoundEnd]:
    """Whether the cell fits (None: unknown), and how it ended."""
    contended, spilled = ran_out_while_contended(cell), has_spilled(cell)
    end = FoundEnd(cell.outcome, contended=contended, spilled=spilled)
    if is_misfit(cell):
        return False, end
    return (True if cell.outcome.status == "measured" else None), end


def _bounded(cell: CellResult, name: str, bound: Bound, *, must_fit: bool) -> Finding:
    if cell.outcome.status != "measured":
        fits, end = _fit_of(cell)
        met = ExpectationResult.NOT_MET if fits is False and must_fit else ExpectationResult.NOT_JUDGED
        return Finding(cell.cell_id, name, bound, end, met)
    found = value(cell.summary, name)
    if found is None:
        return Finding(cell.cell_id, name, bound, FoundValue(None), ExpectationResult.NOT_JUDGED)
    labels = tuple(cell.summary.labels) if cell.summary is not None else ()
    met = ExpectationResult.MET if bound.holds(found) else ExpectationResult.NOT_MET
    return Finding(cell.cell_id, name, bound, FoundValue(found, labels), met)
