"""Expectations of a suite, findings about cells, and their results.

`bench.judge.expectations` makes the findings, `bench.wording.expectations` their words.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from bench.records.cell import Outcome


class Sign(StrEnum):
    """Direction of a bound."""

    AT_LEAST = ">="
    AT_MOST = "<="


@dataclass(frozen=True, slots=True)
class Bound:
    """The least, or the most, that the median of a metric may be."""

    sign: Sign
    limit: float

    def holds(self, value: float) -> bool:
        """Whether a value is within the bound; the limit itself is."""
        return value >= self.limit if self.sign is Sign.AT_LEAST else value <= self.limit

    def __str__(self) -> str:
        """`>= 20`: as a suite may write it, a size in bytes."""
        return f"{self.sign} {format(Decimal(str(self.limit)), 'f').removesuffix('.0')}"


class ExpectationResult(StrEnum):
    """Result of one expectation about one cell."""

    MET = "met"
    NOT_MET = "not_met"
    NOT_JUDGED = "not_judged"


@dataclass(frozen=True, slots=True)
class FoundEnd:
    """How the cell ended.

    `contended`: it ran out of memory while another program computed on the card. `spilled`: it ran with part
    of it in system memory.
    """

    outcome: Outcome
    contended: bool = False
    spilled: bool = False


@dataclass(frozen=True, slots=True)
class FoundValue:
    """The median of the metric in its own unit, None where the cell has none, and the labels of the cell."""

    value: float | None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One expectation about one cell.

    `key` is `fits` or the name of a metric. `wanted` is whether the cell must fit, or a bound on the metric.
    """

    cell_id: str
    key: str
    wanted: bool | Bound
    found: FoundEnd | FoundValue
    met: ExpectationResult
