"""Search for the longest clip that fits on a device: known lengths, and the next length to try. Pure.

A clip is assumed to fit if a longer one does. Where known lengths contradict this, the shortest failure
counts, and `contradicted_by_s` lists the contradictions.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Final, Self

STEP_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Search:
    """Known clip lengths, in seconds. Lengths to try are multiples of `step_s`; known ones may be any.

    `start_s` is a guess at where to look first. No length above `ceiling_s` is tried. `contradicted_by_s` are
    clips that fit although `misfit_s`, which is shorter, does not.
    """

    start_s: float
    ceiling_s: float
    fits_s: float | None = None
    misfit_s: float | None = None
    contradicted_by_s: tuple[float, ...] = ()
    step_s: float = STEP_S

    @classmethod
    def of(
        cls,
        *,
        start_s: float,
        ceiling_s: float,
        fits: Iterable[float] = (),
        misfits: Iterable[float] = (),
        step_s: float = STEP_S,
    ) -> Self:
        """Start from clips that fit, and clips that do not."""
        misfit_s = min(misfits, default=None)
        lengths = sorted(set(fits))
        below = [length for length in lengths if misfit_s is None or length < misfit_s]
        return cls(
            start_s, ceiling_s, max(below, default=None), misfit_s, tuple(lengths[len(below) :]), step_s
        )

    @property
    def next_s(self) -> float | None:
        """The length to try next; None if no length of the grid is left between the known ones.

        The guess comes first. While nothing has failed, the length is doubled; where the guess has failed,
        the steps down from it are. Else the gap is halved.
        """
        first, last = self._first, self._last
        if first > last:
            return None
        if first <= self._guess <= last:
            return self._guess * self.step_s
        if self.misfit_s is None:
            doubled = floor(2 * (self.fits_s or self.start_s) / self.step_s)
            return min(max(first, doubled), last) * self.step_s
        return max(self._down or 0, (first + last) // 2) * self.step_s

    @property
    def at_most(self) -> int:
        """Upper bound of the lengths still to try."""
        length_s = self.next_s
        if length_s is None:
            return 0
        halving = (self._first + self._last) // 2 * self.step_s == length_s
        if self.misfit_s is not None and halving and not self._first <= self._guess <= self._last:
            return (self._last - self._first + 1).bit_length()  # halving n of them: floor(log2 n) + 1
        return 1 + max(self.after(length_s, fits=fits).at_most for fits in (True, False))

    @property
    def ends_at_ceiling(self) -> bool:
        """Whether the search ended at the ceiling, and not at a clip that did not fit."""
        return self.next_s is None and (
            self.misfit_s is None or self._last < ceil(self.misfit_s / self.step_s) - 1
        )

    def after(self, length_s: float, *, fits: bool) -> Self:
        """Return the search after a try of `length_s`."""
        return replace(self, fits_s=length_s) if fits else replace(self, misfit_s=length_s)

    @property
    def _guess(self) -> int:
        return max(1, round(self.start_s / self.step_s))

    @property
    def _down(self) -> int | None:
        """The next length below a failed guess, 1, 3, 7, ... steps down: the limit is likely close to it."""
        failed = self._last + 1
        return failed - (self._guess - failed + 1) if failed <= self._guess else None

    @property
    def _first(self) -> int:
        """The shortest length of the grid, in steps, longer than the longest that fits."""
        return 1 if self.fits_s is None else floor(self.fits_s / self.step_s) + 1

    @property
    def _last(self) -> int:
        """The longest length of the grid, in steps, shorter than the shortest that does not fit."""
        highest = floor(self.ceiling_s / self.step_s)
        return highest if self.misfit_s is None else min(highest, ceil(self.misfit_s / self.step_s) - 1)
