"""The base of every value in a record, and the types that its fields share."""

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
)


class Frozen(BaseModel):
    """Base of every value in a record: immutable, no unknown keys, no NaN and no infinity."""

    # Most commands need few of the types: the others are never built.
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        ser_json_inf_nan="null",
        defer_build=True,
    )


def _in_utc(time: datetime) -> datetime:
    """A time near the year 1 or 9999 may have none."""
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time in UTC is outside the years 1 to 9999") from error


def _rfc3339(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


Utc = Annotated[AwareDatetime, AfterValidator(_in_utc), PlainSerializer(_rfc3339, return_type=str)]
"""A time of any zone, converted to UTC when it is read."""
Bytes = Annotated[int, Field(ge=0)]
_EXACT: Final = 2**53


def _integer(size: object) -> object:
    """Strict reading takes no 1.0 for 1."""
    if isinstance(size, float) and size.is_integer() and abs(size) <= _EXACT:
        return int(size)
    return size


WholeBytes = Annotated[int, Field(ge=0), BeforeValidator(_integer)]
"""Bytes that older documents write as a float, which must be whole."""
Seconds = Annotated[float, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
# These become parts of paths: nothing in them can leave a folder.
PathName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$")]
EngineName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,95}$")]


class Interval(Frozen):
    """A range that holds the true value, as far as is known."""

    low: float
    high: float


class ByteInterval(Interval):
    """A range of bytes that holds the true value, as far as is known."""

    low: WholeBytes
    high: WholeBytes
