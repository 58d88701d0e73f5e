"""Which lines a plot along clip lengths draws: none of a single point, and equal ones once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from bench.report.plots.interface import Datum
from bench.report.plots.series import Drawn
from bench.report.plots.theme import DASHES

ALIKE: Final = 0.01
"""Share of the axis by which figures may differ and still lie on one another: two or three pixels."""

_Point = tuple[float | None, ...]
_Curve = dict[float, _Point]
_RAN_OUT: Final = "out_of_memory"


def along_clips(cells: Iterable[Datum]) -> list[Datum]:
    """Cells of the settings that have two clip lengths or more: one length alone makes no line.

    Where one plot shows all settings, a setting of one length remains next to a line of another.
    """
    seen = list(cells)
    clips: dict[object, set[object]] = {}
    for datum in seen:
        clips.setdefault(datum["v"], set()).add(datum["c"])
    lines = {variant for variant, lengths in clips.items() if len(lengths) > 1}
    if lines and len(clips) <= len(DASHES):
        return seen
    return [datum for datum in seen if datum["v"] in lines]


def left_out(cells: Iterable[Datum], shown: Sequence[Datum]) -> str:
    """A sentence about the settings that `along_clips` left out; empty if there are none."""
    missing = {datum["v"] for datum in cells} - {datum["v"] for datum in shown}
    return "Settings with one clip length only are in the table." if missing else ""


def without_overlaps(shown: Drawn, cells: Iterable[Datum], keys: Sequence[str], least: float) -> Drawn:
    """Settings, and token counts, whose lines lie on one another are drawn once, under all their names.

    `keys`: the figures of the plot. `least`: the smallest visible difference, in their unit.
    """
    curves = _curves(cells, keys)
    variants, lines = ([number for number, *_ in groups] for groups in (shown.variants, shown.lines))

    def same_setting(one: int, other: int) -> bool:
        return all(_alike(curves.get((one, s)), curves.get((other, s)), least) for s in lines)

    kept = _groups(variants, same_setting)

    def same_tokens(drawn: int, other: int) -> bool:
        """Whether the first can be drawn for both: a setting without the other does not matter."""
        others = [v for v, *_ in kept if (v, other) in curves]
        return all(_alike(curves.get((v, drawn)), curves[v, other], least) for v in others)

    return replace(shown, variants=kept, lines=_groups(lines, same_tokens))


def _curves(cells: Iterable[Datum], keys: Sequence[str]) -> dict[tuple[int, int], _Curve]:
    """The points of each line; a cell that ran out of memory has no figures and is a point too."""
    curves: dict[tuple[int, int], _Curve] = {}
    for datum in cells:
        point = tuple(float(str(datum[key])) if key in datum else None for key in keys)
        if datum["k"] == _RAN_OUT or any(value is not None for value in point):
            line = int(str(datum["v"])), int(str(datum["s"]))
            curves.setdefault(line, {})[float(str(datum["c"]))] = point
    return curves


def _alike(one: _Curve | None, other: _Curve | None, least: float) -> bool:
    if one is None or other is None:
        return one is other
    return one.keys() == other.keys() and all(_near(one[clip], other[clip], least) for clip in one)


def _near(one: _Point, other: _Point, least: float) -> bool:
    return all(
        a is b if a is None or b is None else abs(a - b) <= least for a, b in zip(one, other, strict=True)
    )


def _groups(numbers: Iterable[int], same: Callable[[int, int], bool]) -> tuple[tuple[int, ...], ...]:
    """The numbers, each with those that are the same as the first of its group."""
    groups: list[list[int]] = []
    for number in numbers:
        own = next((group for group in groups if same(group[0], number)), None)
        if own is None:
            groups.append([number])
        else:
            own.append(number)
    return tuple(map(tuple, groups))
