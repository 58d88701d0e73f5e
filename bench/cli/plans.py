"""The plans that lie beside records."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.errors import RecordError

if TYPE_CHECKING:
    from bench.records.schema import Record

_LOOKED_AT: Final = 3  # the newest ones: a page is no reason to read a folder of records


class Plans:
    """Finds the plan of a run; looks into each folder once."""

    def __init__(self) -> None:
        self._found: dict[Path, tuple[Record, ...]] = {}

    def beside(self, path: Path, record: "Record") -> "Record | None":
        """The newest `bench plan` in the folder of a run that predicts its cells; None if there is none."""
        from bench.records.words import Provenance
        from bench.report.planned import is_of

        if record.provenance is not Provenance.MEASURED:
            return None
        folder = path.parent
        if folder not in self._found:
            self._found[folder] = tuple(_read(folder))
        return next((plan for plan in self._found[folder] if is_of(plan, record)), None)


def _read(folder: Path) -> "Iterator[Record]":
    from bench.records.store import read_record

    for candidate in sorted(folder.glob("*-plan-*.json"), reverse=True)[:_LOOKED_AT]:
        try:
            yield read_record(candidate)
        except RecordError:
            continue  # it was not asked for
