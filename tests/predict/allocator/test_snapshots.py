"""Recorded traces of real cards: the model makes every decision that their allocators made.

tests/data/allocator/README.md says where they are from.
"""

import json
import lzma
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from bench.predict.allocator.caching import CachingAllocator, Segment

DOCUMENT = Path(__file__).parents[3] / "docs" / "allocator.md"
TRACES = sorted((Path(__file__).parents[2] / "data" / "allocator" / "snapshots").glob("*.json.xz"))


@dataclass
class Driver:
    """Places each segment that the model asks for where the card's driver placed its next one."""

    expected: list[tuple[int, int]] = field(default_factory=list)

    def place(self, size: int) -> int:
        assert self.expected, f"the card needed no segment here, the model one of {size} bytes"
        address, recorded = self.expected.pop()
        assert size == recorded, f"the card took a segment of {recorded} bytes, the model one of {size}"
        return address


def begin(start: list[Any], driver: Driver) -> CachingAllocator:
    """An allocator with the segments that the card had; live blocks are named by their addresses."""
    segments = []
    for address, is_small, blocks in start:
        named, at = [], address
        for size, is_live in blocks:
            named.append((size, at if is_live else None))
            at += size
        segments.append(Segment(address, is_small, tuple(named)))
    return CachingAllocator.of(segments, driver.place)


def decisions(trace: dict[str, Any]) -> dict[str, int]:
    """Replay a trace, compare each decision with the card's, and count them."""
    driver = Driver()
    allocator = begin(trace["start"], driver)
    counts = {"blocks": 0, "segments": 0, "returned": 0}
    for action, group in groupby(trace["events"], key=lambda event: event[0]):
        events = [(address, size) for _, address, size in group]
        if action == "returned":
            before = {(each.address, each.size_bytes) for each in allocator.segments()}
            allocator.empty_cache()
            after = {(each.address, each.size_bytes) for each in allocator.segments()}
            assert before - after == set(events)
            counts["returned"] += len(events)
        for address, size in events:
            if action == "segment":
                driver.expected.append((address, size))
                counts["segments"] += 1
            elif action == "freed":
                allocator.release(address)
            elif action == "allocated":
                assert allocator.allocate(address, size) == address
                assert not driver.expected, "the card took a segment, the model did not"
                counts["blocks"] += 1
    assert allocator.reserved == trace["end"]["reserved_bytes"]
    assert allocator.allocated == trace["end"]["allocated_bytes"]
    return counts


def read(path: Path) -> dict[str, Any]:
    trace: dict[str, Any] = json.loads(lzma.decompress(path.read_bytes()))
    return trace


def test_the_model_makes_every_decision_of_every_recorded_card() -> None:
    """Whether a block needs a segment, the segment's size, the block's address, what `empty_cache` returns.

    The counts are those in the document.
    """
    rows, totals = [], [0, 0, 0]
    for path in TRACES:
        trace = read(path)
        counts = list(decisions(trace).values())
        totals = [total + count for total, count in zip(totals, counts, strict=True)]
        rows.append(
            f"| `{path.name.partition('.')[0]}` | {trace['source']} | "
            + " | ".join(f"{count:,}" for count in counts)
            + " |"
        )
    rows.append("| together | | " + " | ".join(f"{total:,}" for total in totals) + " |")
    table = "\n".join(rows)
    assert table in DOCUMENT.read_text(encoding="utf-8"), f"docs/allocator.md needs this table:\n{table}"


def test_a_model_with_another_rule_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.predict.allocator.caching.ROUND_LARGE", 2**20)
    growing = next(path for path in TRACES if path.name.startswith("course-network"))
    with pytest.raises(AssertionError, match="the card took a segment of"):
        decisions(read(growing))
