"""Cells that requested different attention and ran the same kernels: their difference is noise."""

from collections.abc import Mapping

from bench.judge.same_run import KERNELS, request_key
from bench.records.cell import CellResult
from bench.records.record import Record

SameKernels = Mapping[str, tuple[CellResult, ...]]
"""By the id of a cell, the others that ran the same kernels."""


def same_kernels(record: Record) -> SameKernels:
    """Map each cell id to the cells with another requested attention that ran the same kernels.

    Two cells belong together where all else of the request is equal and the language model ran the same
    operators. Cells of which no operator was seen are left out: nothing shows that they are alike.
    """
    groups: dict[tuple[object, ...], list[CellResult]] = {}
    for cell in record.cells:
        key = _key(cell)
        if key is not None:
            groups.setdefault(key, []).append(cell)
    found: dict[str, tuple[CellResult, ...]] = {}
    for group in groups.values():
        for cell in group:
            others = tuple(o for o in group if o.requested.attention != cell.requested.attention)
            if others:
                found[cell.cell_id] = others
    return found


def _key(cell: CellResult) -> tuple[object, ...] | None:
    if cell.outcome.status != "measured" or cell.effective is None:
        return None
    ran = cell.effective.language_model
    if ran is None or not ran.operators:
        return None
    return (request_key(KERNELS, cell.requested), ran.attention, frozenset(ran.operators))
