"""Figures of the records of one card, cell by cell, and those that are far from the figures of others.

`bench validate --against` and the site count by these rules: one voice for each key.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import Final, Literal, NamedTuple

from bench.check.summary import CellFigures, CellSummary
from bench.compare.evidence import CARD_FACTOR, HOST_FACTOR
from bench.records.metrics import METRICS
from bench.validate.candidate import Found

FEWEST_OTHERS: Final = 3
"""Keys with records of the card from which on another record can be an outlier among them."""
COMPARED: Final = ("time_to_first_token_s", "decode_tokens_per_s", "latency_s", "reserved_peak_bytes")
"""Metrics in which records of a card are compared."""


class Figure(NamedTuple):
    """One value of one record. `place`: of the cell in its record."""

    value: float
    owner: int
    place: int


Figures = Mapping[tuple[str, str], Sequence[Figure]]
"""By cell and metric, sorted by value."""


def compared(cells: Sequence[CellSummary]) -> Iterator[CellFigures]:
    """Yield the figures of `COMPARED` of the measured cells of a record."""
    for place, cell in enumerate(cells):
        if cell.status == "measured":
            known = (cell.figures.get(metric) for metric in COMPARED)
            yield CellFigures(cell.cell_id, place, tuple(one and one.value for one in known))


def figures_of(records: Iterable[tuple[int, Iterable[CellFigures]]]) -> Figures:
    """Return the figures of records, those of `COMPARED`, by the numbers of their owners."""
    found: dict[tuple[str, str], list[Figure]] = {}
    for owner, cells in records:
        for cell_id, place, values in cells:
            for metric, value in zip(COMPARED, values, strict=True):
                if value is not None:
                    found.setdefault((cell_id, metric), []).append(Figure(value, owner, place))
    return {key: sorted(each) for key, each in found.items()}


def outliers(
    keys: Sequence[str | None], figures: Figures, unsuspicious: frozenset[int], factor: float
) -> Iterator[tuple[int, Found]]:
    """Yield each figure far from the median of the other keys, with the number of its owner.

    `keys`: of each owner; None of an unsigned record. A key counts with the median of its `unsuspicious`
    records, and all unsigned records together as one key: whoever sends many records has one voice.
    """
    for (_, metric), every in figures.items():
        of_key: dict[str | None, list[float]] = {}
        for figure in every:
            if figure.owner in unsuspicious:
                of_key.setdefault(keys[figure.owner], []).append(figure.value)
        middles = {key: median(values) for key, values in of_key.items()}
        others, records = sorted(middles.values()), sum(map(len, of_key.values()))
        for value, owner, place in every:
            own = middles.get(keys[owner])
            if len(others) - (own is not None) < FEWEST_OTHERS:
                continue
            middle = _median(others, without=own)
            ratio = far(metric, value, middle, factor) if middle > 0 else None
            if ratio is not None:
                count = records - len(of_key.get(keys[owner], ()))
                facts = {"found": value, "ratio": ratio, "records": count}
                yield owner, Found("outlier_of_card", f"cells[{place}].summary.{metric}", facts)


def _median(values: Sequence[float], without: float | None) -> float:
    """Return the median of sorted values, without one of those that equal `without`."""
    left = len(values) if without is None else len(values) - 1
    own = left if without is None else bisect_left(values, without)

    def at(place: int) -> float:
        return values[place + (place >= own)]

    return at(left // 2) if left % 2 else (at(left // 2 - 1) + at(left // 2)) / 2


def noise_factor(kind: Literal["cpu", "cuda"]) -> float:
    """Return the factor within which two runs on one kind of device agree."""
    return CARD_FACTOR if kind == "cuda" else HOST_FACTOR


def far(metric: str, own: float, middle: float, factor: float) -> float | None:
    """Return the ratio of a figure to the median of others, where it is beyond noise; None within.

    `middle` is above 0.
    """
    ratio, noise = own / middle, METRICS[metric].noise_bytes / middle
    return None if 1 / factor - noise <= ratio <= factor + noise else ratio
