"""A report judges its record once, and finds its budgets and its same kernels once."""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType

import pytest

from bench.judge.caveats import caveats
from bench.judge.frontier import frontier
from bench.judge.memory import card_memory
from bench.judge.prediction import budgets_of
from bench.judge.same_kernels import same_kernels
from bench.judge.verdict import judge
from bench.records.enums import Attention
from bench.records.record import Record
from bench.report.files import report_one
from bench.report.formats import FORMATS
from bench.store.record_files import write_record
from tests.samples import predictions as derived
from tests.samples import records as sample

RECORDS = {
    "measured": sample.all_measured_48(),
    "derived": derived.derived_record(attentions=(Attention.SDPA, Attention.FLASH_ATTENTION_2)),
}
ONCE = (judge, same_kernels, budgets_of, card_memory, frontier, caveats)


def entries(work: Callable[[], object]) -> Counter[CodeType]:
    """How often each function is entered, whatever name it was called by."""
    found: Counter[CodeType] = Counter()

    def watch(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            found[frame.f_code] += 1

    sys.setprofile(watch)
    try:
        work()
    finally:
        sys.setprofile(None)
    return found


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_a_report_of_48_cells_judges_once(record: Record, tmp_path: Path) -> None:
    assert len(record.cells) == 48
    path = tmp_path / "record.json"
    write_record(record, path)
    found = entries(lambda: report_one(path, tuple(FORMATS), tmp_path))
    assert {function.__name__: found[function.__code__] for function in ONCE} == {
        function.__name__: 1 for function in ONCE
    }
