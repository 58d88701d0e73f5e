"""The only place that turns quantities into text for people, and text into quantities."""

import math
import re
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fractions import Fraction

GB: Final = 10**9
GIB: Final = 2**30
MIB: Final = 2**20

MAX_INTEGER: Final = 2**53 - 1
"""The largest integer that every reader of JSON keeps (RFC 7493); as a size, 8 PiB."""

NOT_AVAILABLE: Final = "n/a"

_SHORTEST_S: Final = 0.001
_QUANTITY: Final = re.compile(r"(?P<number>[0-9]{1,20}(?:\.[0-9]{1,20})?)\s*(?P<unit>[A-Za-z]*)\Z")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
_FACTORS: Final = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": GB,
    "tb": 10**12,
    "kib": 2**10,
    "mib": MIB,
    "gib": GIB,
    "tib": 2**40,
}


def both_units(size_bytes: int | None) -> str:
    """`10445641472` -> `10.45 GB (9.73 GiB)`: decimal and binary, where confusion costs memory."""
    if size_bytes is None:
        return NOT_AVAILABLE
    return f"{size_bytes / GB:.2f} GB ({size_bytes / GIB:.2f} GiB)"


def gb(size_bytes: int | None) -> str:
    """`10445641472` -> `10.45 GB`: always shown together with GiB."""
    return NOT_AVAILABLE if size_bytes is None else f"{size_bytes / GB:.2f} GB"


def gib(size_bytes: int | None) -> str:
    """`10445641472` -> `9.73 GiB`; small amounts in MiB."""
    if size_bytes is None:
        return NOT_AVAILABLE
    if abs(size_bytes) < GIB // 10:
        return f"{size_bytes / MIB:.1f} MiB"
    return f"{size_bytes / GIB:.2f} GiB"


def gib_range(low_bytes: int, high_bytes: int) -> tuple[str, str]:
    """`0, 214958080` -> `0.00 GiB`, `0.20 GiB`: both ends of a range in the unit of its larger one."""
    if abs(high_bytes) < GIB // 10:
        return f"{low_bytes / MIB:.1f} MiB", f"{high_bytes / MIB:.1f} MiB"
    return f"{low_bytes / GIB:.2f} GiB", f"{high_bytes / GIB:.2f} GiB"


def seconds(duration_s: float | None) -> str:
    """`0.0421` -> `42.1 ms`, `75.0` -> `1 min 15 s`."""
    if duration_s is None or not math.isfinite(duration_s):
        return NOT_AVAILABLE
    if duration_s < 0.9995:
        return f"{duration_s * 1000:.1f} ms"
    if duration_s < 59.95:
        return f"{duration_s:.2f} s" if duration_s < 9.995 else f"{duration_s:.1f} s"
    minutes, rest = divmod(round(duration_s), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def clip_length(length_s: float) -> str:
    """`10.0` -> `10 s`, `0.5` -> `0.5 s`: a clip length as it is written in a table head."""
    return f"{length_s:g} s"


def rate(value: float | None, unit: str) -> str:
    """`12.345, 'tok/s'` -> `12.3 tok/s`."""
    if value is None or not math.isfinite(value):
        return NOT_AVAILABLE
    digits = 0 if abs(value) >= 999.95 else 1 if abs(value) >= 9.995 else 2
    return f"{value:,.{digits}f} {unit}"


def ratio(value: float | None) -> str:
    """`0.1234` -> `0.123`."""
    if value is None or not math.isfinite(value):
        return NOT_AVAILABLE
    return f"{value:.3g}" if abs(value) < 999.5 else f"{value:,.0f}"


class Unit(Enum):
    """The unit of a metric, in words."""

    SECONDS = "seconds"
    BYTES = "bytes"
    JOULES = "joules"
    TOKENS_PER_S = "tokens per second"
    RATIO = "seconds per second"
    SHARE = "share"
    COUNT = "count"

    @property
    def is_whole(self) -> bool:
        """Whether values are integers."""
        return self in {Unit.BYTES, Unit.COUNT}

    @property
    def is_speed(self) -> bool:
        """Whether values say how fast something is: a time, or a rate."""
        return self in {Unit.SECONDS, Unit.TOKENS_PER_S, Unit.RATIO}


def quantity(value: float | None, unit: Unit) -> str:
    """`0.0421, Unit.SECONDS` -> `42.1 ms`: a value of a metric in its unit."""
    match unit:
        case Unit.SECONDS:
            return seconds(value)
        case Unit.BYTES:
            return gib(None if value is None else round(value))
        case Unit.JOULES:
            return rate(value, "J")
        case Unit.TOKENS_PER_S:
            return rate(value, "tok/s")
        case Unit.RATIO | Unit.SHARE:
            return ratio(value)
        case Unit.COUNT:
            return NOT_AVAILABLE if value is None else f"{value:,.0f}"


def parse_size(text: str) -> int:
    """`12GiB`, `12GB`, `12282MiB` or plain bytes -> bytes.

    Raises:
        ValueError: no number, an unknown unit, nothing left, or more than a record can hold.
    """
    number = _parsed(text, _FACTORS)
    if number is None:
        raise ValueError(f"'{text}' is not a size: write 12GiB, 12GB, 12282MiB or a number of bytes")
    size = round(number)
    if size <= 0:
        raise ValueError(f"'{text}' is not a size: it must be more than 0 bytes")
    if size > MAX_INTEGER:
        raise ValueError(f"'{text}' is not a size: it must be less than 8192TiB, a record stores no more")
    return size


def parse_duration(text: str) -> float:
    """`90s`, `10m`, `1.5h` -> seconds.

    Raises:
        ValueError: no number, no unit or an unknown one, or nothing left.
    """
    number = _parsed(text, _SECONDS)
    if number is None:
        raise ValueError(f"'{text}' is not a duration: write 90s, 10m or 1h")
    duration_s = float(number)
    if duration_s < _SHORTEST_S:
        raise ValueError(f"'{text}' is not a duration: it must be 1 ms or more")
    return duration_s


def _parsed(text: str, factors: Mapping[str, int]) -> "Fraction | None":
    """Return a number times the factor of its unit; None if it is no number, or the unit has no factor."""
    from fractions import Fraction  # with decimal, which no command needs to start

    match = _QUANTITY.match(text.strip())
    factor = factors.get(match["unit"].lower()) if match else None
    return None if match is None or factor is None else Fraction(match["number"]) * factor


def rounded(value: float, digits: int) -> float:
    """`47.3917, 3` -> `47.4`. The largest floats stay as they are: rounded up they would be infinite."""
    short = float(f"{value:.{digits}g}")
    return short if math.isfinite(short) else value
