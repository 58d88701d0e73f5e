"""Grids of clip length × new tokens, one for each attention and other setting in which cells differ."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, NamedTuple

from bench import units
from bench.report.basics import Status
from bench.report.interface import Grid, GridCell, GridLine, Miss, Row

HEAT_LEVELS: Final = 5
# Below this share of the largest peak, a tint would paint noise.
_WORTH_A_TINT: Final = 0.01
# Cells that share neither clip nor tokens would make a grid of their square: a bound on its points.
_POINTS_PER_CELL: Final = 50
_LEAST_POINTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class HeatScale:
    """Memory between the least and the most of a record, in five steps."""

    low_bytes: int
    high_bytes: int

    def level(self, size_bytes: float | None) -> int | None:
        """0 for the least memory, 4 for the most; None where nothing was read or all cells take the same."""
        spread = self.high_bytes - self.low_bytes
        if size_bytes is None or spread <= self.high_bytes * _WORTH_A_TINT:
            return None
        return min(HEAT_LEVELS - 1, int(HEAT_LEVELS * (size_bytes - self.low_bytes) / spread))

    @property
    def legend(self) -> str:
        """`Tint: peak memory, from 10.5 GiB (lightest, not 0) to ...`; empty without a tint."""
        if self.level(self.low_bytes) is None:
            return ""
        low, high = units.gib(self.low_bytes), units.gib(self.high_bytes)
        return f"Tint: peak memory of the cell, from {low} (lightest, not 0) to {high} (strongest)."


def grids(rows: Sequence[Row]) -> tuple[tuple[Grid, ...], str]:
    """One grid for each title, in the order of the rows, and the legend of their tint."""
    groups: dict[str, list[Row]] = {}
    for line in rows:
        groups.setdefault(line.variant, []).append(line)
    scale = _scale(rows)
    return tuple(_grid(tuple(group), scale) for group in groups.values()), scale.legend


def _scale(rows: Sequence[Row]) -> HeatScale:
    sizes = [int(line.peak.value) for line in rows if line.peak.value is not None]
    return HeatScale(min(sizes, default=0), max(sizes, default=0))


def _grid(rows: tuple[Row, ...], scale: HeatScale) -> Grid:
    clips = {line.clip_seconds: line.clip for line in sorted(rows, key=lambda line: line.clip_seconds)}
    tokens = {line.max_tokens: line.tokens for line in sorted(rows, key=lambda line: line.max_tokens)}
    at = {(line.clip_seconds, line.max_tokens): GridCell(line, scale.level(line.peak.value)) for line in rows}
    whole = max(_LEAST_POINTS, _POINTS_PER_CELL * len(rows)) // len(tokens)
    lines = (
        GridLine(clip, tuple(at.get((seconds, n)) for n in tokens))
        for seconds, clip in islice(clips.items(), max(1, whole))
    )
    return Grid(rows[0].variant, tuple(tokens.values()), tuple(lines), rows, _uniform(rows))


def alike(grids: Sequence[Grid]) -> tuple[Grid, ...]:
    """Predicted grids with equal cells and kernels are one, under all their titles."""
    groups: dict[tuple[object, ...], list[Grid]] = {}
    for grid in grids:
        groups.setdefault(_content(grid), []).append(grid)
    return tuple(
        replace(group[0], title=one_title([grid.title for grid in group])) for group in groups.values()
    )


class CeilingLine(NamedTuple):
    """Equal ceilings of cells of one shape: `title` names all their settings."""

    title: str
    shape: str
    figures: Mapping[str, str]


def ceiling_lines(rows: Iterable[Row]) -> tuple[CeilingLine, ...]:
    """The ceilings of the predicted cells, each once: those of two systems are mostly equal."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        if row.prediction is not None:
            groups.setdefault((row.shape, *row.prediction.ceiling.items()), []).append(row)
    return tuple(
        CeilingLine(one_title([row.variant for row in group]), group[0].shape, first.ceiling)
        for group in groups.values()
        if (first := group[0].prediction) is not None
    )


def one_title(titles: Sequence[str]) -> str:
    """`SDPA and FlashAttention 2, lean`: several titles as one; words at both ends are said once."""
    parts = [title.split(", ") for title in dict.fromkeys(titles)]
    begin = _common(parts)
    end = _common([list(reversed(part[begin:])) for part in parts])
    own = [", ".join(part[begin : len(part) - end]) for part in parts]
    last = parts[0][len(parts[0]) - end :]
    together = " and ".join(filter(None, [", ".join(own[:-1]), own[-1]]))
    return ", ".join([*parts[0][:begin], together, *last])


def _common(parts: Sequence[Sequence[str]]) -> int:
    """How many words all begin with; each keeps one of its own."""
    most = min(map(len, parts)) - 1
    return next((nth for nth in range(most) if len({part[nth] for part in parts}) > 1), max(0, most))


def _content(grid: Grid) -> tuple[object, ...]:
    cells = tuple(tuple(map(_key, line.cells)) for line in grid.lines)
    return grid.kernels, grid.columns, tuple(line.clip for line in grid.lines), cells


def _key(cell: GridCell | None) -> tuple[object, ...]:
    if cell is None:
        return ()
    found = cell.row.prediction
    return (cell.row.anchor,) if found is None else (found.fit, found.also, found.peak, found.at_peak)


def misses(tables: Sequence[Grid]) -> tuple[Miss, ...]:
    """Every reason once, with its cells; a grid whose cells share one outcome is named as a whole."""
    found: dict[Status, list[str]] = {}
    for grid in tables:
        if grid.uniform is not None:
            found.setdefault(grid.uniform, []).append(f"all {len(grid.rows)} cells of {grid.title}")
            continue
        for line in grid.rows:
            if line.status.code not in {"measured", "predicted"}:
                found.setdefault(line.status, []).append(f"{line.shape} ({line.variant})")
    return tuple(Miss(status, tuple(cells)) for status, cells in found.items())


def _uniform(rows: tuple[Row, ...]) -> Status | None:
    first = rows[0].status
    alike = len(rows) > 1 and all(line.status == first for line in rows)
    return first if alike and first.code == "unsupported" else None
