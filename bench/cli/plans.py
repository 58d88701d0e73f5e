"""The plan that lies beside a record."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.errors import RecordError

if TYPE_CHECKING:
    from bench.records.schema import Record

_LOOKED_AT: Final = 3  # the newest ones: a page is no reason to read a folder of records


def plan_beside(path: Path, record: "Record") -> "Record | None":
    """The newest `bench plan` in the folder of a record that predicts its cells; None where there is none."""
    from bench.records.store import read_record
    from bench.report.planned import is_of

    for candidate in sorted(path.parent.glob("*-plan-*.json"), reverse=True)[:_LOOKED_AT]:
        try:
            plan = read_record(candidate)
        except RecordError:
            continue  # it was not asked for
        if is_of(plan, record):
            return plan
    return None
