"""The caveats over all records: each once, with counts that the rows of the document show too."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from bench.check.rows import FIT
from bench.check.sources import Sources, machines_of
from bench.check.summary import RecordHead
from bench.records import caveats as known
from bench.records.caveats import Caveat, RecordCaveat
from bench.records.check import CheckRow
from bench.records.enums import Provenance, Verdict
from bench.wording.caveats import sentence

_MAX_CAVEATS: Final = 40
_OfCells = known.SomeCells | known.SampledWithGaps
_TOO_CLOSE: Final = "cells_too_close_to_call"
# These name what they are about: the number of records would add nothing.
_NAMES_ITS_SUBJECT: Final = (known.PredictedForSystem, known.KernelExpected, known.MathOnWindows)


def merge_caveats(sources: Sources, rows: Sequence[CheckRow]) -> tuple[Caveat, ...]:
    """The caveats of all records, each once; a single record keeps its own."""
    if len(sources.heads) == 1:
        return sources.heads[0].caveats
    return tuple(_caveats(sources, rows))


def _caveats(sources: Sources, rows: Sequence[CheckRow]) -> Iterator[Caveat]:
    deciding, whole = sources.deciding, len(sources.heads)
    left_out = whole - len(sources.counted)
    if left_out:
        yield known.RecordsElsewhere(count=left_out, records=whole)
    others = len(sources.counted) - len(deciding)
    if others:
        yield known.OtherProvenance(count=others, records=whole)
    if machines_of(deciding) is None and sources.provenance is not Provenance.DERIVED:
        yield known.MachinesUnknown()
    of_all, of_some = _of_records(deciding)
    ordered = [*of_all, *_too_close(rows), *_systems(deciding), *_of_cells(deciding), *of_some]
    yield from ordered[:_MAX_CAVEATS]
    if len(ordered) > _MAX_CAVEATS:
        yield known.MoreCaveats(count=len(ordered) - _MAX_CAVEATS)


def _of_records(heads: Sequence[RecordHead]) -> tuple[list[Caveat], list[Caveat]]:
    """The caveats about whole records: those of all records, then those of some, the commonest first.

    Caveats that read alike are one: a reader does not see by how many bytes they differ.
    """
    found: dict[str, list[RecordCaveat]] = {}
    for head in heads:
        for words, caveat in {sentence(caveat): caveat for caveat in head.caveats}.items():
            if not isinstance(caveat, known.PredictedForSystem | _OfCells):
                found.setdefault(words, []).append(caveat)
    ordered = [alike for _, alike in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))]
    return (
        [alike[0] for alike in ordered if len(alike) == len(heads)],
        [_of_some(alike, len(heads)) for alike in ordered if len(alike) < len(heads)],
    )


def _of_some(alike: Sequence[RecordCaveat], records: int) -> Caveat:
    if isinstance(alike[0], _NAMES_ITS_SUBJECT):
        return alike[0]
    return known.InSomeRecords(count=len(alike), records=records, caveat=alike[0])


# --- predictions ------------------------------------------------------------------------------------------


def _systems(heads: Sequence[RecordHead]) -> Iterator[Caveat]:
    """The systems of all predictions in one caveat."""
    found: dict[tuple[str, str], known.PredictedForSystem] = {}
    for caveat in _each(heads):
        if isinstance(caveat, known.PredictedForSystem):
            other = found.get((caveat.os, caveat.torch))
            kernels = dict.fromkeys((*(other.kernels if other else ()), *caveat.kernels))
            update = {"kernels": tuple(sorted(kernels)), "torch_here": caveat.torch_here}
            found[caveat.os, caveat.torch] = caveat.model_copy(update=update)
    systems = tuple(found[key] for key in sorted(found))
    if systems:
        yield systems[0] if len(systems) == 1 else known.PredictedForSystems(systems=systems)


def _too_close(rows: Sequence[CheckRow]) -> Iterator[Caveat]:
    """Counted in the rows, which show the newest of several predictions of a cell."""
    predicted = [row for row in rows if row.envelope is not None and row.status == "predicted"]
    close = sum(
        FIT in row.disagrees
        or (row.envelope is not None and row.envelope.verdict is Verdict.TOO_CLOSE_TO_CALL)
        for row in predicted
    )
    if close and all(row.provenance is Provenance.DERIVED for row in rows):
        yield known.SomeCells(code=_TOO_CLOSE, count=close, cells=len(predicted))


# --- cells that ran ---------------------------------------------------------------------------------------


def _of_cells(heads: Sequence[RecordHead]) -> Iterator[Caveat]:
    """Each caveat about some cells: as it is where all records share it, else with the cells added up."""
    found: dict[str, list[_OfCells]] = {}
    for caveat in _each(heads):
        if isinstance(caveat, _OfCells) and caveat.code != _TOO_CLOSE:
            found.setdefault(caveat.code, []).append(caveat)
    for alike in sorted(found.values(), key=lambda one: (-sum(each.count for each in one), one[0].code)):
        yield _added_up(alike, heads)


def _added_up(alike: Sequence[_OfCells], heads: Sequence[RecordHead]) -> Caveat:
    first = alike[0]
    if len(alike) == len(heads) and all(one == first for one in alike):
        return first
    total = {"count": sum(one.count for one in alike), "cells": sum(head.cells for head in heads)}
    return known.CellsOfRecords(records=len(heads), caveat=first.model_copy(update=total))


def _each(heads: Iterable[RecordHead]) -> Iterator[RecordCaveat]:
    return (caveat for head in heads for caveat in head.caveats)
