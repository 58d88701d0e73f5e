"""A search for the longest clip that fits, with few predictions: each costs a trace. Pure.

Every length in the result was predicted. Between the known lengths the need is taken as a straight line,
which decides only the next length to predict. Where the need is that straight, the result is at most 4 s
below the longest clip that fits, or above the shortest that does not.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil, floor
from typing import Final, Literal, Protocol

from bench.records.base import ByteInterval

STEP_S: Final = 4
"""The audio encoder takes whole chunks of 4 s: its need grows in steps of that length, and clips of whole
chunks are traced together. No length in between is predicted."""
_FAR_S: Final = 4 * STEP_S
"""A bound further from the line's estimate than this lies near a corner or a jump."""
_APART_S: Final = 2 * STEP_S
"""Lengths closer than this show a step, not a slope."""


class Needs(Protocol):
    """Prediction of a clip."""

    def __call__(self, clip_seconds: float) -> Mapping[int, ByteInterval]:
        """Return the bytes that a card must have for a clip of this length, by max_tokens."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound to search.

    `fits`, `likely`: the longest clip whose whole interval is within `budget_bytes`, which differ in that;
    `misfit`: the shortest clip whose whole interval is beyond.
    """

    max_tokens: int
    bound: Literal["fits", "likely", "misfit"]
    budget_bytes: int

    def slack(self, need: ByteInterval) -> int:
        """Bytes that are left; negative where the need is larger than the budget."""
        return self.budget_bytes - (need.low if self.bound == "misfit" else need.high)


@dataclass(frozen=True, slots=True)
class Bracket:
    """Two predicted lengths: the slack is not negative at `below`, and negative at `above`.

    None where no such length is known. Where the need does not always grow with the length, `fits` and
    `likely` stay below the first failure, and `misfit` above the last success.
    """

    below: int | None
    above: int | None

    @property
    def is_exact(self) -> bool:
        """Whether no length of the grid lies between."""
        if self.above is None or self.below is None:
            return self.above == 1
        return self.above - self.below <= STEP_S


def _bound_of(goal: Goal) -> tuple[str, float]:
    """Key of goals that differ in their tokens only: these lie close together."""
    return goal.bound, goal.budget_bytes


class Search:
    """Searches goals one prediction at a time, the one with the largest expected error first."""

    def __init__(
        self,
        needs: Needs,
        goals: Iterable[Goal],
        *,
        longest_s: int,
        known: Mapping[int, Mapping[int, ByteInterval]],
    ) -> None:
        self._needs = needs
        self._goals = tuple(goals)
        self._longest_s = longest_s
        self._tries: Counter[tuple[str, float]] = Counter()
        self._widths: dict[tuple[str, float], int] = {}
        self._known = {length: need for length, need in known.items() if 1 <= length <= longest_s}

    def run(self, at_most: int) -> dict[Goal, Bracket]:
        """Predict up to `at_most` lengths in addition to the known ones; return the bracket of each goal."""
        for _ in range(at_most):
            length = self._next()
            if length is None:
                break
            self._known[length] = self._needs(float(length))
        return {goal: self._bracket(goal) for goal in self._goals}

    def _next(self) -> int | None:
        """Return the length to predict; None if every bound is expected to be close.

        A bound with many predictions has to wait for the others.
        """
        errors = {goal: self._error(goal, self._bracket(goal)) for goal in self._goals}
        for goal in sorted(self._goals, key=lambda goal: -errors[goal] / 2 ** self._tries[_bound_of(goal)]):
            found = self._bracket(goal)
            length = self._candidate(goal, found) if errors[goal] >= STEP_S else None
            if length is not None:
                self._tries[_bound_of(goal)] += 1
                self._widths[_bound_of(goal)] = self._width(found)
                return length
        return None

    def _error(self, goal: Goal, found: Bracket) -> float:
        """Seconds between the known bound and the estimate of the line through known lengths."""
        if found.is_exact or found.below == self._longest_s or found.above == 1:
            return 0.0
        root = self._root(goal, found)
        if goal.bound != "misfit":
            return root - found.below if found.below is not None else max(STEP_S, root)
        # Without a misfit up to the context's end, only that end can prove one, whatever the line says.
        return max(STEP_S, self._longest_s + 1 - root) if found.above is None else found.above - root

    def _candidate(self, goal: Goal, found: Bracket) -> int | None:
        """Return a length of whole chunks next to the estimate, strictly between the known lengths.

        Where not even the shortest known length fits, the shortest of all is next. Where no known length is
        too long, the end of the context may fit.
        """
        if found.below is None and found.above is not None:
            return 1
        low, high = (found.below or 0) + 1, (found.above or self._longest_s + 1) - 1
        root = self._root(goal, found)
        if root >= self._longest_s:
            return self._longest_s
        # Where a line removed less than half of the bracket, a corner is near: halving is better.
        width = self._width(found)
        creeps = (
            2 * width > self._widths.get(_bound_of(goal), 2 * width) and self._error(goal, found) > _FAR_S
        )
        where = ((low + high) / 2 if creeps else root) / STEP_S
        steps = ceil(where) if goal.bound == "misfit" else floor(where)
        first, last = ceil(low / STEP_S), high // STEP_S
        return min(max(steps, first), last) * STEP_S if first <= last else None

    def _width(self, found: Bracket) -> int:
        return (found.above or self._longest_s + 1) - (found.below or 0)

    def _bracket(self, goal: Goal) -> Bracket:
        slack = {length: goal.slack(need[goal.max_tokens]) for length, need in self._known.items()}
        enough = [length for length, left in slack.items() if left >= 0]
        short = [length for length, left in slack.items() if left < 0]
        if goal.bound != "misfit":
            above = min(short, default=None)
            return Bracket(
                max((each for each in enough if above is None or each < above), default=None), above
            )
        below = max(enough, default=None)
        return Bracket(below, min((each for each in short if below is None or each > below), default=None))

    def _root(self, goal: Goal, found: Bracket) -> float:
        """Estimate the length at which the slack reaches 0.

        The need is close to straight lines that meet in corners. With lengths on both sides there are three
        lines: across, and on from the two nearest lengths of each side. However the corner between
        them bends, the middle one of the three is closest.
        """
        lengths = sorted(self._known)
        below = [each for each in lengths if found.below is not None and each <= found.below]
        above = [each for each in lengths if found.above is not None and each >= found.above]
        lower = next(((far, below[-1]) for far in reversed(below) if below[-1] - far >= _APART_S), None)
        upper = next(((above[0], far) for far in above if far - above[0] >= _APART_S), None)
        pairs = [pair for pair in (lower, upper) if pair is not None]
        if below and above:
            across = self._line(goal, (below[-1], above[0]))
            roots = sorted([across, *(self._line(goal, pair) for pair in pairs)])
            root = roots[1] if len(roots) == 3 else across
        else:
            root = self._line(goal, pairs[0]) if pairs else float("inf" if below or not above else "-inf")
        return min(max(root, found.below or 0), found.above or self._longest_s)

    def _line(self, goal: Goal, pair: tuple[int, int]) -> float:
        """Length at which the line through the slack at two lengths is 0; infinite if it does not fall."""
        first, second = (goal.slack(self._known[length][goal.max_tokens]) for length in pair)
        if first <= second:
            return float("inf" if first >= 0 else "-inf")
        return pair[0] + (pair[1] - pair[0]) * first / (first - second)
