"""Small values that all parts of a view consist of."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bench import units
from bench.records.check import CheckFigure
from bench.records.metrics import IntervalKind


class Tone(StrEnum):
    """Whether a word is good or bad; shown as a colour together with the word."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    MUTED = "muted"


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and its value, such as `Driver`, `580.95.05`; `note` explains it."""

    label: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric of one cell: its raw value, the same in words, and how far it can be trusted.

    `interval` is `47.0–47.8 tok/s, range of 3`, `variation` is `cv 0.0063`, `note` says how it was read;
    empty if there is none. `low`, `high`, `interval_kind`, `interval_n` and `cv` are their raw values.
    """

    value: float | int | None
    text: str
    interval: str = ""
    variation: str = ""
    low: float | None = None
    high: float | None = None
    cv: float | None = None
    note: str = ""
    interval_kind: IntervalKind | None = None
    interval_n: int | None = None


NO_FIGURE: Final = Figure(None, units.NOT_AVAILABLE)


@dataclass(frozen=True, slots=True)
class Status:
    """The outcome of a cell, in words. `code` is the status of the cell in JSON."""

    code: str
    word: str
    tone: Tone
    reason: str = ""


def whole(figure: CheckFigure | None) -> int | None:
    """The value of a figure in whole bytes; None if it has no value."""
    return None if figure is None or figure.value is None else round(figure.value)


def basis(machines: int | None, records: int) -> str:
    """`3 machines`, or `5 records` where a record does not name its machine."""
    count, what = (records, "record") if machines is None else (machines, "machine")
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def pcie_link(generation: int | None, width: int | None) -> str:
    """`gen 4, 16 lanes`, `gen 4` or `n/a`."""
    if generation is None:
        return units.NOT_AVAILABLE
    return f"gen {generation}" if width is None else f"gen {generation}, {width} lanes"
