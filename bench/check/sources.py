"""The records of a merge: each once, in one order, and which of them ran on one machine."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from bench.check.summary import RecordHead
from bench.records.enums import Provenance

Link = Callable[[Path], str | None]
"""The path of a record as a check document names it; None where it must not."""
UNKNOWN_MACHINE: Final = ""
"""The machine of every record without a key: together they weigh as much as one machine."""
PRECEDENCE: Final = (Provenance.MEASURED, Provenance.EMULATED, Provenance.DERIVED, Provenance.SMOKE)
"""Which provenance decides over others, the first one first."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The heads of a merge, the oldest first, and the number of each machine."""

    heads: tuple[RecordHead, ...]
    numbers: Mapping[str, int]

    @classmethod
    def of(cls, heads: Iterable[RecordHead]) -> Self:
        """Each record once, whatever the number of its copies; of equal predictions the newest.

        Machines are numbered by their oldest record.

        Raises:
            ValueError: no record.
        """
        unlike = {head.hash: head for head in sorted(heads, key=_place, reverse=True)}
        newest = {head.content or head.hash: head for head in sorted(unlike.values(), key=_place)}
        ordered = tuple(sorted(newest.values(), key=_place))
        if not ordered:
            raise ValueError("a merge needs at least one record")
        keys = dict.fromkeys(head.machine_key for head in ordered if head.machine_key is not None)
        return cls(ordered, {key: number for number, key in enumerate(keys, start=1)})

    @property
    def newest(self) -> RecordHead:
        """Representative record: supplies the fields on which all records agree."""
        return self.heads[-1]

    @property
    def provenance(self) -> Provenance:
        """Provenance that decides: measured before emulated before derived; smoke never decides."""
        return next(kind for kind in PRECEDENCE if any(head.provenance is kind for head in self.heads))

    @property
    def counted(self) -> tuple[RecordHead, ...]:
        """Return the records that computed on the card; all records if none did."""
        own = tuple(head for head in self.heads if head.elsewhere is None)
        return own or self.heads

    @property
    def deciding(self) -> tuple[RecordHead, ...]:
        """The records that decide the verdict."""
        return tuple(head for head in self.counted if head.provenance is self.provenance)

    def machine(self, head: RecordHead) -> str:
        """Key of the machine with which a record is weighed."""
        return UNKNOWN_MACHINE if head.machine_key is None else head.machine_key


def machines_of(heads: Iterable[RecordHead]) -> int | None:
    """Number of machines; None where a record does not name its own."""
    keys = {head.machine_key for head in heads}
    return None if None in keys or not keys else len(keys)


def _place(head: RecordHead) -> tuple[str, str, str]:
    return head.created_at.isoformat(), head.hash, head.path or ""
