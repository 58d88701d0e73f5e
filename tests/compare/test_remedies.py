"""How many runs would decide a gate, roughly."""

import pytest

from bench.compare.remedies import enough
from bench.records.base import Interval
from bench.records.comparison import Change, ChangeVerdict, Unit
from bench.records.comparison_reasons import AtTheLimit, GateRemedy, RunPairs, RunProcesses


def changed(by: float | None, unit: Unit, count: int = 8) -> Change:
    return Change(
        base=1.0,
        new=1.0,
        change=by,
        interval=Interval(low=-0.1, high=0.1),
        p=0.5,
        n_base=count,
        n_new=count,
        unit=unit,
        noise=None,
        process_spread=None,
        verdict=ChangeVerdict.SAME_WITHIN_NOISE,
        better=None,
    )


@pytest.mark.parametrize(
    ("by", "unit", "limit", "end", "cells", "remedy"),
    [
        (0.0, Unit.PAIR, 0.05, 0.1, 1, RunPairs(pairs=32)),
        (0.0, Unit.PROCESS, 0.05, 0.1, 1, RunProcesses(runs=31)),
        (0.0, Unit.PAIR, 0.099, 0.1, 1, RunPairs(pairs=10)),
        (0.0, Unit.PAIR, 0.0, 0.1, 1, AtTheLimit()),
        (0.0, Unit.PAIR, 0.0001, 0.1, 1, AtTheLimit()),
        (0.0, Unit.PAIR, 0.05, None, 1, RunPairs(pairs=6)),
        (0.1, Unit.PAIR, 0.05, None, 7, RunPairs(pairs=10)),
        (0.0, Unit.REPEAT, 0.05, 0.1, 1, RunProcesses(runs=4)),
        (0.0, Unit.ONCE, 0.05, None, 20, RunProcesses(runs=6)),
    ],
)
def test_the_interval_narrows_with_the_root_of_the_number(
    by: float, unit: Unit, limit: float, end: float | None, cells: int, remedy: GateRemedy
) -> None:
    assert enough(changed(by, unit), limit, end, cells) == remedy
