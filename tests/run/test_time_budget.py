"""Which cells begin within a time budget, on a clock that the test sets."""

from bench.run.time_budget import TimeBudget
from bench.suite.cells import Cell
from tests.samples import records as sample


class Clock:
    """Seconds that the test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def cell(clip_seconds: float) -> Cell:
    wanted = sample.requested(clip_seconds, 128)
    return Cell(sample.cell_id(wanted), wanted)


def by_length(cell: Cell, fresh: bool) -> float:
    """A second for each second of the clip, and five for a start."""
    return cell.requested.clip_seconds + 5.0 * fresh


def test_the_first_cell_begins_whatever_it_takes_and_is_stopped_at_twice_the_budget() -> None:
    clock = Clock()
    budget = TimeBudget(10, by_length, clock)
    assert budget.allows(cell(300), fresh=True)
    assert budget.ends_at == 1020
    clock.now = 1019.9
    assert not budget.stopped()
    clock.now = 1020.0
    assert budget.stopped()
    assert budget.is_used


def test_another_cell_begins_if_its_estimate_fits_in_what_is_left() -> None:
    clock = Clock()
    budget = TimeBudget(60, by_length, clock)
    assert budget.allows(cell(10), fresh=True)
    clock.now = 1030.0
    assert budget.allows(cell(30), fresh=False)
    assert not budget.allows(cell(30), fresh=True)
    assert budget.allows(cell(10), fresh=False), "a smaller one may still fit"
    assert budget.is_used


def test_a_slow_machine_is_found_out_by_the_first_cell() -> None:
    clock = Clock()
    budget = TimeBudget(60, by_length, clock)
    assert budget.allows(cell(5), fresh=True)
    budget.ran(cell(5), 40.0, fresh=True)  # four times the estimate
    clock.now = 1040.0
    assert budget.allows(cell(5), fresh=False)
    assert not budget.allows(cell(6), fresh=False)
