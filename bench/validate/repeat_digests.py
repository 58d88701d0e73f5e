"""The raw times by which a repeat is recognised, and their digests. Edits of all else hide no copy.

Times are rounded to a microsecond, as runs round those of tokens. The order of repeats does not count. With
more noise than that on every time nobody can tell a copy from a new repeat.
"""

import hashlib
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from bench.records.cell import CellResult, Repeat
from bench.records.record import Record

_DIGITS: Final = 32
_LOOKED_AT: Final = 6
"""Token times of a repeat that are compared, evenly spaced: enough to be unique, few to cross a rounding."""
_FEWEST_TOKENS: Final = 12
_STEPS: Final = _FEWEST_TOKENS
"""Token times between which steps are compared."""
_FEWEST_REPEATS: Final = 3
Rounded = tuple[str, ...]
"""Times in seconds, each with six decimals."""


def unique_times(repeat: Repeat) -> Rounded | None:
    """Return six token times, the last one included; None of a repeat with less than twelve.

    No two generations take equally long to the microsecond of these. With fewer times nothing is unique.
    """
    times = repeat.token_times_s or ()
    if len(times) < _FEWEST_TOKENS:
        return None
    return tuple(_rounded(times[len(times) * nth // _LOOKED_AT - 1]) for nth in range(1, _LOOKED_AT + 1))


def unique_steps(repeat: Repeat) -> Rounded | None:
    """Return the steps between twelve token times, the last one included; None of a repeat with fewer.

    An offset on every time leaves them as they are. They are twice as many as `unique_times` looks at: the
    first token, which varies most, does not count.
    """
    times = repeat.token_times_s or ()
    if len(times) < _FEWEST_TOKENS:
        return None
    looked_at = [_rounded(times[len(times) * nth // _STEPS - 1]) for nth in range(1, _STEPS + 1)]
    return tuple(_rounded(float(later) - float(one)) for one, later in pairwise(looked_at))


def unique_ends(cell: CellResult) -> Rounded | None:
    """Return first token and latency of each repeat, sorted; None of a cell with less than three repeats.

    No three generations take as long as three others to the microsecond of both.
    """
    return tuple(sorted(map(_ends, cell.repeats))) if len(cell.repeats) >= _FEWEST_REPEATS else None


def record_digests(record: Record) -> Iterator[str]:
    """Yield the digests of all cells of a record."""
    for cell in record.cells:
        yield from repeat_digests(cell)


def repeat_digests(cell: CellResult) -> tuple[str, ...]:
    """Return two digests of each repeat with unique times, and one of all repeats together if that is unique.

    The second one of a repeat is also that of a copy with an offset on every time.
    """
    every = (*map(unique_times, cell.repeats), *map(unique_steps, cell.repeats), unique_ends(cell))
    return tuple(_digest(times) for times in every if times is not None)


def _ends(repeat: Repeat) -> str:
    """First token and latency. Answers of one token can take equally long on the clock of a card."""
    host = _rounded(repeat.host_latency_s) if repeat.generated_tokens == 1 and repeat.host_latency_s else ""
    return f"{_rounded(repeat.time_to_first_token_s)} {_rounded(repeat.latency_s)} {host}"


def _rounded(time_s: float) -> str:
    return f"{time_s:.6f}"


def _digest(times: Rounded) -> str:
    return hashlib.sha256(json.dumps(times).encode()).hexdigest()[:_DIGITS]
