"""Digests of raw times, by which a copy of somebody's repeats is found, whatever else was edited around them.

Times are rounded to a microsecond, and the order of repeats does not count. Noise of more than a microsecond
on every time makes repeats that nobody can tell from new ones.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Final

from bench.records.record import CellResult, Record, Repeat

_DIGITS: Final = 32
_LOOKED_AT: Final = 6
"""Token times of a repeat that are compared, evenly spaced: enough to be unique, few to cross a rounding."""
_FEWEST_TOKENS: Final = 12
_FEWEST_REPEATS: Final = 3


def record_digests(record: Record) -> Iterator[str]:
    """Yield the digests of all cells of a record."""
    for cell in record.cells:
        yield from repeat_digests(cell)


def repeat_digests(cell: CellResult) -> tuple[str, ...]:
    """Return a digest of each repeat with enough token times, and one of all repeats without those.

    No two generations take equally long to the microsecond of six tokens, and no three to that of first
    token and latency. With fewer times nothing is unique.
    """
    return tuple(_digest(times) for times in _unique(cell))


def _unique(cell: CellResult) -> Iterator[list[str]]:
    for repeat in cell.repeats:
        times = repeat.token_times_s or ()
        if len(times) >= _FEWEST_TOKENS:
            yield [_rounded(times[len(times) * nth // _LOOKED_AT - 1]) for nth in range(1, _LOOKED_AT + 1)]
    if len(cell.repeats) >= _FEWEST_REPEATS:
        yield sorted(map(_ends, cell.repeats))


def _ends(repeat: Repeat) -> str:
    """First token and latency. Answers of one token can take equally long on the clock of a card."""
    host = _rounded(repeat.host_latency_s) if repeat.generated_tokens == 1 and repeat.host_latency_s else ""
    return f"{_rounded(repeat.time_to_first_token_s)} {_rounded(repeat.latency_s)} {host}"


def _rounded(time_s: float) -> str:
    return f"{time_s:.6f}"


def _digest(times: list[str]) -> str:
    return hashlib.sha256(json.dumps(times).encode()).hexdigest()[:_DIGITS]
