"""Budget lines of the memory plot: the memory of the card, and the part available to a program."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bench import units
from bench.records.base import ByteInterval
from bench.report import ranges
from bench.report.interface import View
from bench.report.plots.interface import Datum

# A budget far above every need would press all lines flat: the summary names it in words.
_MOST_ABOVE_NEED: Final = 1.5
_HEADLESS: Final = "without a desktop"
_DESKTOP: Final = "with a desktop"
CARD: Final = "card"
HUES: Final = {CARD: "var(--soft)", _HEADLESS: "var(--b0)", _DESKTOP: "var(--b1)"}


@dataclass(frozen=True, slots=True)
class Budget:
    """One budget; for a prediction a range, else both ends are equal."""

    words: str
    place: str
    low_bytes: int
    high_bytes: int

    @property
    def text(self) -> str:
        """`Budget with a desktop 10.79 GiB (11.59 GB)`."""
        size = ByteInterval(low=self.low_bytes, high=self.high_bytes)
        return f"{self.words} {ranges.gib(size)} ({ranges.gb(size)})"

    def datum(self, *, is_first: bool) -> Datum:
        """The datum of a band, or of a line if both ends are equal; the first has its name above it."""
        low, high = (round(size / units.GIB, 3) for size in (self.low_bytes, self.high_bytes))
        short = f"{self.place} {ranges.gib(ByteInterval(low=self.low_bytes, high=self.high_bytes))}"
        return {
            "lo": low,
            "hi": high,
            "text": self.text,
            "short": short,
            "above": int(is_first),
            "hue": HUES[self.place],
        }


def budgets(view: View) -> list[Budget]:
    """All budgets, the largest first; empty if none is known, as for a CPU."""
    return [*_total(view), *(list(_of_run(view)) or _of_prediction(view))]


def drawable(found: list[Budget], most_needed_bytes: float) -> list[Budget]:
    """Budgets that fit in one plot with the needs of the cells."""
    return [one for one in found if one.low_bytes <= _MOST_ABOVE_NEED * most_needed_bytes]


def _total(view: View) -> Iterator[Budget]:
    total = view.memory.emulated_bytes or view.identity.memory_total_bytes
    if total is not None and view.identity.kind == "cuda":
        yield Budget("Memory of the card", CARD, total, total)


def _of_run(view: View) -> Iterator[Budget]:
    pairs = (
        (_HEADLESS, view.memory.headless_bytes),
        (_DESKTOP, view.memory.desktop_bytes),
    )
    for place, size in pairs:
        if size is not None:
            yield Budget(f"Budget {place}", place, size, size)


def _of_prediction(view: View) -> Iterator[Budget]:
    predicted = view.check.prediction
    if predicted is None:
        return
    sizes = (predicted.room_headless_bytes, predicted.room_desktop_bytes)
    for place, size in zip((_HEADLESS, _DESKTOP), sizes, strict=True):
        if size is not None:
            yield Budget(f"Budget {place}", place, size.low, size.high)
