"""One worker, a large cell and then a small one: a suite has them the other way round, a search has both."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.hardware.readings import DriverGpu
from bench.records.card import DeviceMemory
from bench.records.enums import Attention
from bench.run import runner
from bench.run.fetch import fetch
from bench.run.run_spec import RunOptions, make_plan, refuse_to_choose
from bench.run.session import RunPolicy
from bench.units import MIB
from bench.weights.interface import quiet
from tests.gpu.runs import LONG, SHORT, suite_in
from tests.run.on_a_card import Silent

pytestmark = pytest.mark.gpu


@pytest.fixture
def long_then_short(
    card: DriverGpu, model: Path, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[DeviceMemory, DeviceMemory]:
    """What the driver saw of both cells."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    options = RunOptions(
        suite=str(suite_in(tmp_path)), device=card.uuid, model=str(model), attention=(Attention.EAGER,)
    )
    plan = make_plan(options, refuse_to_choose)
    plan = replace(plan, cells=tuple(reversed(plan.cells)))
    weights = fetch(plan.origin, lambda *_: None, quiet)
    place = runner.OutputLocation(tmp_path / "out")
    cells = runner.run(plan, weights, RunPolicy(), place, Silent()).record.cells
    assert [cell.requested.clip_seconds for cell in cells] == [LONG, SHORT]
    assert [cell.cold is None for cell in cells] == [False, True], "one worker ran both"
    long, short = (cell.device_memory for cell in cells)
    assert long is not None
    assert short is not None
    return long, short


def test_what_the_driver_sees_of_a_cell_holds_nothing_of_the_cell_before(
    long_then_short: tuple[DeviceMemory, DeviceMemory],
) -> None:
    long, short = long_then_short
    for name in ("process_peak_bytes", "device_peak_bytes"):
        before, after = getattr(long, name), getattr(short, name)
        assert (before is None) == (after is None)
        assert before is None or before > after + 100 * MIB, name


def test_the_context_is_the_same_after_a_large_cell_and_a_small_one(
    long_then_short: tuple[DeviceMemory, DeviceMemory],
) -> None:
    long, short = long_then_short
    assert long.context_source == short.context_source
    if long.context_bytes is not None:
        assert long.context_bytes == pytest.approx(short.context_bytes, abs=128 * MIB)
