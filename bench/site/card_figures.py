"""Figures of the records of one card, cell by cell: who agrees with whom.

Every figure is looked up in a sorted list of its cell and metric: n log n, whatever the number of records.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final, NamedTuple

from bench.records.metrics import METRICS
from bench.site.interface import MOST_COUNTED, MOST_LINKS, Reproduction
from bench.validate.outliers import Figure, Figures

_HALF: Final = MOST_LINKS // 2


@dataclass(frozen=True, slots=True)
class Owner:
    """Who measured: one record. Unsigned records have no key; `machine` is None where it is not known.

    `holder`: of the account that confirms the key; None where none does.
    """

    id: str
    key_id: str | None
    machine: str | None
    holder: str | None = None

    @property
    def identity(self) -> str | None:
        """What counts as one: all keys of a holder, or the key. No holder is called like a key."""
        return self.holder or self.key_id


class _Agreement(NamedTuple):
    """How many agree with one figure, up to `MOST_COUNTED`. Sorts by these numbers, in their order."""

    confirmed: int
    unconfirmed: int
    machines: int
    worst: int
    """Distinct other identities that do not agree."""
    figure: Figure
    runs: tuple["_Run", ...]
    """Those that agree, of confirmed ones and of others."""

    def near(self) -> Iterator[Figure]:
        """Some that agree: the nearest."""
        return chain.from_iterable(run.near(self.figure) for run in self.runs)

    def distant(self) -> Iterator[Figure]:
        """Some that do not: the farthest."""
        return chain.from_iterable(run.distant() for run in self.runs)


class _Run(NamedTuple):
    """Figures from `begin` to `end`, of sorted ones."""

    counted: Sequence[Figure]
    begin: int
    end: int

    def near(self, figure: Figure) -> Sequence[Figure]:
        """Some figures in it: those around one."""
        place = bisect_left(self.counted, figure)
        return self.counted[max(self.begin, place - _HALF) : min(self.end, place + _HALF)]

    def distant(self) -> Sequence[Figure]:
        """Some figures outside: the lowest and the highest."""
        above = max(self.end, len(self.counted) - _HALF)
        return (*self.counted[: min(_HALF, self.begin)], *self.counted[above:])


def reproduction(
    owners: Sequence[Owner], figures: Figures, published: frozenset[int], factor: float
) -> dict[int, Reproduction]:
    """Return for each owner with figures how many others agree with all of them.

    Two figures agree where the larger is at most `factor` times the smaller, and noise in bytes. Only signed
    records that are `published` count as others, each holder of accounts once, and each other key once. Of a
    record the figure counts that fewest confirmed ones agree with, and of equal ones fewest others.
    """
    least: dict[int, _Agreement] = {}
    worst: Counter[int] = Counter()
    for (_, metric), every in figures.items():
        for found in _agreements(owners, every, published, factor, METRICS[metric].noise_bytes):
            owner = found.figure.owner
            worst[owner] = max(worst[owner], found.worst)
            if owner not in least or found[:3] < least[owner][:3]:
                least[owner] = found
    return {
        owner: Reproduction(
            confirmed=found.confirmed,
            unconfirmed=found.unconfirmed,
            cards=None if owners[owner].machine is None else found.machines,
            disagreeing=worst[owner],
            agreeing_ids=_others(owners, found.near(), owner),
            disagreeing_ids=_others(owners, found.distant(), owner),
        )
        for owner, found in least.items()
    }


class _Window:
    """A run of sorted figures, with the number of figures of each identity and machine in it.

    `machines` counts for several windows together.
    """

    def __init__(
        self, owners: Sequence[Owner], counted: Sequence[Figure], machines: Counter[str | None]
    ) -> None:
        self._owners = owners
        self._counted = counted
        self._begin = 0
        self._end = 0
        self._identities: Counter[str | None] = Counter()
        self._machines = machines

    def move(self, low: float, high: float) -> None:
        """Hold the figures from `low` to `high`. Neither bound ever becomes less."""
        while self._end < len(self._counted) and self._counted[self._end].value <= high:
            self._count(self._counted[self._end], 1)
            self._end += 1
        while self._begin < self._end and self._counted[self._begin].value < low:
            self._count(self._counted[self._begin], -1)
            self._begin += 1

    def others(self, own: str | None) -> int:
        """The number of identities in it without one."""
        return len(self._identities) - (own in self._identities)

    def run(self) -> _Run:
        """What it holds."""
        return _Run(self._counted, self._begin, self._end)

    def _count(self, figure: Figure, step: int) -> None:
        owner = self._owners[figure.owner]
        for counter, name in ((self._identities, owner.identity), (self._machines, owner.machine)):
            counter[name] += step
            if not counter[name]:
                del counter[name]


def _agreements(
    owners: Sequence[Owner],
    every: Sequence[Figure],
    published: frozenset[int],
    factor: float,
    noise: float,
) -> Iterator[_Agreement]:
    """Yield for each figure of one cell and metric who agrees with it."""
    counted = [
        figure for figure in every if figure.owner in published and owners[figure.owner].key_id is not None
    ]
    machines: Counter[str | None] = Counter()
    with_account = [each for each in counted if owners[each.owner].holder is not None]
    without = [each for each in counted if owners[each.owner].holder is None]
    windows = (_Window(owners, with_account, machines), _Window(owners, without, machines))
    identities = {owners[figure.owner].identity for figure in counted}
    for figure in every:
        own = owners[figure.owner]
        for window in windows:
            window.move((figure.value - noise) / factor, figure.value * factor + noise)
        by_account, by_key = (window.others(own.identity) for window in windows)
        cards = len(machines) - len({own.machine, None} & machines.keys())
        worst = len(identities) - (own.identity in identities) - by_account - by_key
        numbers = [min(count, MOST_COUNTED) for count in (by_account, by_key, cards, worst)]
        runs = (windows[0].run(), windows[1].run())
        yield _Agreement(numbers[0], numbers[1], numbers[2], numbers[3], figure, runs)


def _others(owners: Sequence[Owner], figures: Iterable[Figure], own: int) -> tuple[str, ...]:
    """Return the ids of the owners of figures, without the record itself and without others of its owner."""
    identity = owners[own].identity
    found = dict.fromkeys(
        owners[each.owner].id
        for each in figures
        if each.owner != own and (identity is None or owners[each.owner].identity != identity)
    )
    return tuple(islice(found, MOST_LINKS))
