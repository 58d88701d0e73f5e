"""The search for the longest clip that fits: what is known, and which length to try next. Pure.

It takes for granted that a clip fits if a longer one does. Where what is known says otherwise, the smallest
failure counts, and `contradicted_by_s` tells.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Final, Self

STEP_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Search:
    """Clip lengths in seconds. What is tried lies on the grid of `step_s`; what is known may lie anywhere.

    `start_s` is a guess at where to look first. Nothing beyond `ceiling_s` is tried. `contradicted_by_s` are
    clips that fitted although `misfit_s`, which is shorter, did not.
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
        """Begin with clips that are known to fit, and with clips that are known not to."""
        misfit_s = min(misfits, default=None)
        lengths = sorted(set(fits))
        below = [length for length in lengths if misfit_s is None or length < misfit_s]
        return cls(
            start_s, ceiling_s, max(below, default=None), misfit_s, tuple(lengths[len(below) :]), step_s
        )

    @property
    def next_s(self) -> float | None:
        """The length to try next; None when no length of the grid is left between what is known.

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
        """How many lengths will be tried from here on, at most."""
        length_s = self.next_s
        if length_s is None:
            return 0
        halving = (self._first + self._last) // 2 * self.step_s == length_s
        if self.misfit_s is not None and halving and not self._first <= self._guess <= self._last:
            return (self._last - self._first + 1).bit_length()  # halving n of them: floor(log2 n) + 1
        return 1 + max(self.after(length_s, fits=fits).at_most for fits in (True, False))

    @property
    def ends_at_ceiling(self) -> bool:
        """Whether nothing is left to try because nothing longer may be tried: no failure says so."""
        return self.next_s is None and (
            self.misfit_s is None or self._last < ceil(self.misfit_s / self.step_s) - 1
        )

    def after(self, length_s: float, *, fits: bool) -> Self:
        """What is known once `length_s` was tried."""
        return replace(self, fits_s=length_s) if fits else replace(self, misfit_s=length_s)

    @property
    def _guess(self) -> int:
        return max(1, round(self.start_s / self.step_s))

    @property
    def _down(self) -> int | None:
        """From a guess that failed 1, 3, 7, ... steps down: a limit is likely to lie close to the guess."""
        failed = self._last + 1
        return failed - (self._guess - failed + 1) if failed <= self._guess else None

    @property
    def _first(self) -> int:
        """The shortest length of the grid, in steps, that is longer than what is known to fit."""
        return 1 if self.fits_s is None else floor(self.fits_s / self.step_s) + 1

    @property
    def _last(self) -> int:
        """The longest length of the grid, in steps, that is shorter than what is known not to fit."""
        highest = floor(self.ceiling_s / self.step_s)
        return highest if self.misfit_s is None else min(highest, ceil(self.misfit_s / self.step_s) - 1)
