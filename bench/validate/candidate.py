"""A record to be judged, as it was read and as it is understood; and what a rule finds in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from pydantic import JsonValue, ValidationError

from bench.records.cell import CellResult, Measured
from bench.records.findings import Code
from bench.records.record import Record
from bench.store.canonical import canonical
from bench.suite.suite import Suite

Fact = float | int | str | None


NO_FACTS: Final[Mapping[str, Fact]] = MappingProxyType({})


class Found(NamedTuple):
    """A finding without its words. `path` is below the record, such as `cells[3].repeats`."""

    code: Code
    path: str
    facts: Mapping[str, Fact] = NO_FACTS


@dataclass(frozen=True)
class Candidate:
    """One record. `document` is the JSON that was read; `now` is the time of the judgement."""

    record: Record
    document: dict[str, JsonValue]
    is_intact: bool
    now: datetime

    @cached_property
    def definition(self) -> bytes:
        """The definition of the suite in its canonical form."""
        return canonical(self.record.suite.definition)

    @property
    def suite(self) -> Suite | None:
        """The suite as it was run; None where its definition cannot be read."""
        return _suite(self.definition)

    @property
    def measured(self) -> Iterator[tuple[str, CellResult]]:
        """The cells that ran, with their paths."""
        for place, cell in enumerate(self.record.cells):
            if isinstance(cell.outcome, Measured):
                yield f"cells[{place}]", cell

    @property
    def observed(self) -> Iterator[tuple[str, CellResult]]:
        """The cells that ran, with their paths, and that of the challenge if it ran."""
        yield from self.measured
        challenge = self.record.challenge
        if challenge is not None and isinstance(challenge.cell.outcome, Measured):
            yield "challenge.cell", challenge.cell


@lru_cache(maxsize=64)
def _suite(definition: bytes) -> Suite | None:
    """Read a definition: records of one suite share it."""
    try:
        return Suite.model_validate_json(definition)
    except ValidationError:
        return None
