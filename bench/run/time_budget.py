"""The time that a run may take: which cells still begin, and when the running one is stopped."""

from collections.abc import Callable
from time import monotonic
from typing import Final

from bench.run.estimate import Correction
from bench.suite.cells import Cell

_STOPPED_AT: Final = 2.0
"""The running cell is stopped at this multiple of the budget: estimates hold within a factor of two."""

Estimator = Callable[[Cell, bool], float]
"""Returns the estimated seconds of a cell; True: with worker start and loading."""


class TimeBudget:
    """A budget that counts from the first cell of a run, which begins in any case.

    Another cell begins if its estimate, corrected by the cells so far, fits in the time that is left.
    """

    def __init__(self, budget_s: float, estimate: Estimator, now: Callable[[], float] = monotonic) -> None:
        self.budget_s = budget_s
        self.is_used = False
        self._estimate = estimate
        self._now = now
        self._correction = Correction()
        self._began: float | None = None

    def allows(self, cell: Cell, *, fresh: bool) -> bool:
        """Whether this cell still begins; `fresh`: in a worker that has not loaded the model."""
        if self._began is None:
            self._began = self._now()
            return True
        left_s = self._began + self.budget_s - self._now()
        if self._correction.factor * self._estimate(cell, fresh) <= left_s:
            return True
        self.is_used = True
        return False

    @property
    def ends_at(self) -> float:
        """Time at which a running cell is stopped."""
        return (self._now() if self._began is None else self._began) + _STOPPED_AT * self.budget_s

    def stopped(self) -> bool:
        """Whether a cell that timed out now did so because of the budget."""
        is_over = self._now() >= self.ends_at
        self.is_used = self.is_used or is_over
        return is_over

    def ran(self, cell: Cell, took_s: float, *, fresh: bool) -> None:
        """Correct later estimates by a cell that ran."""
        self._correction.add(self._estimate(cell, fresh), took_s)
