"""Expectations that a suite can state of its cells: fits, or a bound on a metric. See `docs/suites.md`."""

import re
from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Final, Self

from pydantic import (
    Field,
    PlainSerializer,
    PlainValidator,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from bench.records.base import Frozen
from bench.records.cell import Requested
from bench.records.enums import Attention
from bench.records.expectations import Bound, Sign
from bench.records.metrics import METRICS, Metric, with_fields
from bench.units import Unit, parse_size

MAX_EXPECTATIONS: Final = 100
_BOUND: Final = re.compile(r"(?P<sign>>=|<=)\s*(?P<limit>\S.{0,40})")
_NUMBER: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")


def _reader(convert: Callable[[str], float], example: str) -> Callable[[object], Bound]:
    def read(text: object) -> Bound:
        found = _BOUND.fullmatch(text.strip()) if isinstance(text, str) else None
        if found is None:
            shown = f"'{text}'" if isinstance(text, str) else str(text)
            raise ValueError(f"{shown[:60]} is not a bound; write {example}")
        return Bound(Sign(found["sign"]), convert(found["limit"]))

    return read


def _number(text: str) -> float:
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"'{text}' is not a number; write it as 20 or 0.25")
    return float(text)


_Number = (
    Annotated[Bound, PlainValidator(_reader(_number, '">= 20" or "<= 20"')), PlainSerializer(str)] | None
)
_Size = Annotated[Bound, PlainValidator(_reader(parse_size, '"<= 11.5GiB"')), PlainSerializer(str)] | None


def _bound_of(metric: Metric) -> tuple[object, object]:
    return (_Size if metric.unit is Unit.BYTES else _Number), None


@with_fields(METRICS.values(), _bound_of)
class Expectation(Frozen):
    """One `[[expect]]` table: what it expects, and of which cells (of all where it selects none)."""

    clip_seconds: tuple[float, ...] | None = Field(default=None, description="lengths that [axes] has")
    max_tokens: tuple[int, ...] | None = Field(default=None, description="numbers that [axes] has")
    attention: tuple[Attention, ...] | None = Field(default=None, description="backends that [axes] has")
    fits: bool | None = Field(default=None, description="true or false")

    @model_validator(mode="after")
    def _states_something(self) -> Self:
        if self.fits is None and not self.bounds:
            raise ValueError('states nothing; add fits = true or a metric, such as latency_s = "<= 5"')
        return self

    @model_serializer(mode="wrap")
    def _stated(self, serialize: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Leave out what is not stated: the hash of a suite must not change when a metric is added."""
        return {name: value for name, value in serialize(self).items() if value is not None}

    @cached_property
    def bounds(self) -> dict[str, Bound]:
        """The metrics that are bounded, by their names."""
        values = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {name: value for name, value in values if isinstance(value, Bound)}

    def covers(self, cell: Requested) -> bool:
        """Whether the expectation is about this cell."""
        pairs = (
            (self.clip_seconds, cell.clip_seconds),
            (self.max_tokens, cell.max_tokens),
            (self.attention, cell.attention),
        )
        return all(chosen is None or own in chosen for chosen, own in pairs)
