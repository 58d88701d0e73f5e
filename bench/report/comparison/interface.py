"""The view of a comparison, already in words. All strings are cleaned and still untrusted."""

from dataclasses import dataclass

from bench.report.basics import Fact, Tone


@dataclass(frozen=True, slots=True)
class Line:
    """The change of one metric, with its evidence.

    `brief`: change and verdict in short, with the words of `LEGEND`. `mark`: the number of its note among
    those of the overall change, empty without a note. `ends`: of a predicted interval, the changes of
    both ends.
    """

    metric: str
    base: str
    new: str
    change: str
    interval: str
    p: str
    values: str
    word: str
    tone: Tone
    brief: str
    note: str
    mark: str = ""
    ends: str = ""


@dataclass(frozen=True, slots=True)
class CellLines:
    """One cell: its name, its end (empty if compared), and its metrics by their names in JSON."""

    name: str
    ended: str
    tone: Tone
    reasons: tuple[str, ...]
    lines: dict[str, Line]


@dataclass(frozen=True, slots=True)
class GateLine:
    """A gate and its decision; `remedy`: what would decide it, empty where it is decided."""

    gate: str
    word: str
    tone: Tone
    why: str
    remedy: str


@dataclass(frozen=True, slots=True)
class SideView:
    """One side against the base.

    `overall` has the metrics that any cell has, `notes` what limits their verdicts. `metrics`: those that its
    cells have. `lone` names the cells that only one side has. `reasons` says
    why none of the cells can be compared. `differences`: setting, base, new.
    """

    label: str
    stamp: str
    stamp_tone: Tone
    reasons: tuple[str, ...]
    headline: str
    marks: tuple[GateLine, ...]
    overall: dict[str, Line]
    notes: tuple[str, ...]
    metrics: dict[str, str]
    cells: tuple[CellLines, ...]
    lone: tuple[str, ...]
    differences: tuple[tuple[str, str, str], ...]
    caveats: tuple[str, ...]
    records: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """The whole comparison. `metrics`: names and headings of those that any side has, in table order.

    `beside`: the sides with figures that are shown next to each other; empty where there are fewer than two.
    """

    title: str
    title_tone: Tone
    model: str
    suite: str
    stamp: str
    stamp_tone: Tone
    method: str
    base: str
    metrics: dict[str, str]
    sides: tuple[SideView, ...]
    beside: tuple[SideView, ...]
