"""Shared parts of sentences: the size of a cell, a clip length, a step of a worker."""

from typing import Final

from bench import units
from bench.records.enums import PeakMetric
from bench.records.metrics import IntervalKind
from bench.records.reasons import CellShape, WorkerStep

PEAK_WORDS: Final[dict[PeakMetric, str]] = {
    "process_peak_bytes": "process peak",
    "device_peak_bytes": "whole-device peak",
    "reserved_peak_bytes": "reserved peak",
    "allocated_peak_bytes": "allocated peak",
    "resident_peak_bytes": "resident peak",
}


def shape(cell: CellShape) -> str:
    """`120 s (2 min) with 512 new tokens`."""
    return f"{length(cell.clip_seconds)} with {cell.max_tokens:,} new {plural('token', cell.max_tokens)}"


def length(clip_s: float) -> str:
    """`120 s (2 min)`; without the minutes up to one."""
    minutes = f" ({units.seconds(clip_s)})" if clip_s > 60 else ""
    return f"{units.clip_length(clip_s)}{minutes}"


def interval(kind: IntervalKind, n: int | None) -> str:
    """`95 %`, or `range of 3`: how far an interval of so many values can be trusted. None: not known."""
    if kind == "bootstrap_95":
        return "95 %"
    return "range of the repeats" if n is None else f"range of {n:,}"


def plural(word: str, count: int) -> str:
    """`token` of one, `tokens` of any other number."""
    return word if count == 1 else f"{word}s"


def step(doing: WorkerStep) -> str:
    """`repeat 2 of 3`, `load`."""
    return f"{doing.name} {doing.number} of {doing.total}" if doing.total > 1 else doing.name
