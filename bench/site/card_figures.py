"""Figures of the records of one card, cell by cell: who agrees with whom.

Every figure is looked up in a sorted list of its cell and metric: n log n, whatever the number of records.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from bench.records.metrics import METRICS
from bench.site.interface import MOST_COUNTED, MOST_LINKS, Reproduction
from bench.validate.outliers import Figure, Figures

_HALF: Final = MOST_LINKS // 2


@dataclass(frozen=True, slots=True)
class Owner:
    """Who measured: one record. Unsigned records have no key; `machine` is None where it is not known."""

    id: str
    key_id: str | None
    machine: str | None


class _Agreement(NamedTuple):
    """How many agree with one figure, up to `MOST_COUNTED`. Sorts by the number of keys, then of machines."""

    keys: int
    machines: int
    worst: int
    """Distinct other keys that do not agree."""
    near: Sequence[Figure]
    """Some that agree: the nearest."""
    distant: Sequence[Figure]
    """Some that do not: the farthest."""


def reproduction(
    owners: Sequence[Owner], figures: Figures, published: frozenset[int], factor: float
) -> dict[int, Reproduction]:
    """Return for each owner with figures how many others agree with all of them.

    Two figures agree where the larger is at most `factor` times the smaller, and noise in bytes. Only signed
    records that are `published` count as others, each key once. Of a record the figure counts that fewest
    agree with.
    """
    least: dict[int, _Agreement] = {}
    worst: Counter[int] = Counter()
    for (_, metric), every in figures.items():
        for owner, found in _agreements(owners, every, published, factor, METRICS[metric].noise_bytes):
            worst[owner] = max(worst[owner], found.worst)
            if owner not in least or found[:2] < least[owner][:2]:
                least[owner] = found
    return {
        owner: Reproduction(
            confirmed=0,
            unconfirmed=found.keys,
            cards=None if owners[owner].machine is None else found.machines,
            disagreeing=worst[owner],
            agreeing_ids=_others(owners, found.near, owner),
            disagreeing_ids=_others(owners, found.distant, owner),
        )
        for owner, found in least.items()
    }


class _Window:
    """A run of sorted figures, with the number of figures of each key and machine in it."""

    def __init__(self, owners: Sequence[Owner], counted: Sequence[Figure]) -> None:
        self._owners = owners
        self._counted = counted
        self.begin = 0
        self.end = 0
        self.keys: Counter[str | None] = Counter()
        self.machines: Counter[str | None] = Counter()

    def move(self, low: float, high: float) -> None:
        """Hold the figures from `low` to `high`. Neither bound ever becomes less."""
        while self.end < len(self._counted) and self._counted[self.end].value <= high:
            self._count(self._counted[self.end], 1)
            self.end += 1
        while self.begin < self.end and self._counted[self.begin].value < low:
            self._count(self._counted[self.begin], -1)
            self.begin += 1

    def _count(self, figure: Figure, step: int) -> None:
        owner = self._owners[figure.owner]
        for counter, name in ((self.keys, owner.key_id), (self.machines, owner.machine)):
            counter[name] += step
            if not counter[name]:
                del counter[name]


def _agreements(
    owners: Sequence[Owner],
    every: Sequence[Figure],
    published: frozenset[int],
    factor: float,
    noise: float,
) -> Iterator[tuple[int, _Agreement]]:
    """Yield for each figure of one cell and metric who agrees with it."""
    counted = [
        figure for figure in every if figure.owner in published and owners[figure.owner].key_id is not None
    ]
    keys = {owners[figure.owner].key_id for figure in counted}
    window = _Window(owners, counted)
    for figure in every:
        window.move((figure.value - noise) / factor, figure.value * factor + noise)
        own = owners[figure.owner]
        others = len(keys) - (own.key_id in keys)
        agree = len(window.keys) - (own.key_id in window.keys)
        machines = len(window.machines) - len({own.machine, None} & window.machines.keys())
        place = bisect_left(counted, figure)
        near = counted[max(window.begin, place - _HALF) : min(window.end, place + _HALF)]
        distant = counted[: min(_HALF, window.begin)] + counted[max(window.end, len(counted) - _HALF) :]
        keys_agree, cards, worst = (min(count, MOST_COUNTED) for count in (agree, machines, others - agree))
        yield figure.owner, _Agreement(keys_agree, cards, worst, near, distant)


def _others(owners: Sequence[Owner], figures: Iterable[Figure], own: int) -> tuple[str, ...]:
    """Return the ids of the owners of figures, without the record itself and without others of its key."""
    key_id = owners[own].key_id
    return tuple(
        dict.fromkeys(
            owners[each.owner].id
            for each in figures
            if each.owner != own and (key_id is None or owners[each.owner].key_id != key_id)
        )
    )
