"""Copies within a record: repeats and cells with the times of others, as they are or stretched."""

from collections.abc import Hashable, Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple

from bench.records.cell import Repeat
from bench.validate.candidate import Candidate, Found
from bench.validate.repeat_digests import Rounded, unique_ends, unique_times

CLOSE_S: Final = 2e-6
"""No token time of a stretched copy is farther from the original: both were rounded to a microsecond. In each
of 22,920 pairs of real repeats of the tiny model on a CPU some time was off by 30 microseconds or more."""
_NEIGHBOURS: Final = 8
"""Each repeat is compared with so many others of the most similar shape: a file can have any number."""


def copies(candidate: Candidate) -> Iterator[Found]:
    """Yield the repeats and cells that copy others."""
    first: dict[Hashable, str] = {}
    shapes: dict[Rounded, _Shape] = {}
    for path, cell in candidate.measured:
        if not cell.repeats:
            continue
        times = [unique_times(repeat) for repeat in cell.repeats]
        keys: list[Hashable] = [one or _exactly(each) for one, each in zip(times, cell.repeats, strict=True)]
        yield from _repeats(path, keys)
        unique: tuple[Hashable, ...] = (*filter(None, times), unique_ends(cell) or tuple(keys))
        other = next((first[key] for key in unique if key in first), None)
        if other is not None:
            yield Found("cells_copied", f"{path}.repeats", {"other": other})
        for key in unique:
            first.setdefault(key, path)
        for nth, one in enumerate(times):
            if one is not None and one not in shapes:
                shapes[one] = _shape(len(shapes), f"{path}.repeats[{nth}]", cell.repeats[nth])
    yield from _stretched(shapes.values())


def _exactly(repeat: Repeat) -> tuple[object, ...]:
    """All times. A card's clock resolves half a microsecond: two answers of one token can agree."""
    host_s = repeat.host_latency_s if repeat.generated_tokens == 1 else None
    return repeat.time_to_first_token_s, repeat.latency_s, repeat.token_times_s, host_s


def _repeats(path: str, keys: Iterable[Hashable]) -> Iterator[Found]:
    """Yield each repeat of a cell with the key of an earlier one."""
    seen: dict[Hashable, int] = {}
    for nth, key in enumerate(keys):
        first = seen.setdefault(key, nth)
        if first != nth:
            yield Found("repeats_copied", f"{path}.repeats[{nth}]", {"other": first})


# --- stretched times --------------------------------------------------------------------------------------


class _Shape(NamedTuple):
    """The token times of a repeat. `place`: in the record, where `path` leads.

    `half`: share of the decoding after which half of the tokens were there; stretching leaves it as it is.
    """

    half: float
    span_s: float
    place: int
    path: str
    times: tuple[float, ...]


def _shape(place: int, path: str, repeat: Repeat) -> _Shape:
    times = repeat.token_times_s or ()
    span_s = times[-1] - times[0]
    half = (times[len(times) // 2] - times[0]) / span_s if span_s > 0 else 0.0
    return _Shape(half, span_s, place, path, times)


def _stretched(shapes: Iterable[_Shape]) -> Iterator[Found]:
    """Yield the repeats whose token times are those of another one by a factor and an offset."""
    similar, said = sorted(shapes), set[int]()
    for nth, one in enumerate(similar):
        for other in islice(similar, nth + 1, nth + 1 + _NEIGHBOURS):
            if (other.half - one.half) * min(one.span_s, other.span_s) > CLOSE_S:
                continue
            first, later = sorted((one, other), key=lambda shape: shape.place)
            if later.place not in said and _is_stretched(one, other):
                said.add(later.place)
                yield Found("repeats_stretched", later.path, {"other": first.path})


def _is_stretched(one: _Shape, other: _Shape) -> bool:
    """Whether all times agree to within rounding, once the longer repeat is as short as the other one."""
    short, long = sorted((one, other), key=lambda shape: shape.span_s)
    if len(short.times) != len(long.times) or short.span_s <= 0:
        return False
    factor = short.span_s / long.span_s
    return all(
        abs(a - short.times[0] - factor * (b - long.times[0])) <= CLOSE_S
        for a, b in zip(short.times, long.times, strict=True)
    )
