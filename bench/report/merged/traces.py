"""Memory over time for a merged page: of one run for each cell, because a course over time has no median."""

from collections.abc import Iterable, Mapping

from bench.records.check import Check
from bench.records.enums import Provenance
from bench.records.record import MemoryTrace, Record
from bench.report.rows import trace_of

Traces = Mapping[tuple[str, Provenance], MemoryTrace]
"""By the cell's id, and by how it ran."""


def traces_of(check: Check, newest_first: Iterable[Record]) -> Traces:
    """Of each cell that ran, what the newest run that watched it saw; no record more than it takes."""
    wanted = {(row.cell_id, row.provenance) for row in check.rows if row.status == "measured"}
    found: dict[tuple[str, Provenance], MemoryTrace] = {}
    for record in newest_first:
        for cell in record.cells:
            key, trace = (cell.cell_id, record.provenance), trace_of(cell)
            if trace is not None and key in wanted:
                found.setdefault(key, trace)
        if len(found) == len(wanted):
            break
    return found
