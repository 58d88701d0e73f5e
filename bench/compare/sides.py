"""One side of a comparison: the records of one build on one device."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.errors import UsageError
from bench.judge.same_run import NEAREST_SIDE, ONE_SIDE, values
from bench.records.cell import CellResult
from bench.records.comparison import RecordUsed, SideInfo
from bench.records.record import Record


@dataclass(frozen=True, slots=True)
class Side:
    """Records of one build, oldest first; `left_out` counts those of the folder that are of another.

    `given` is what the command line named, for messages: no document has it, for it may be a path.
    """

    given: str
    records: tuple[Record, ...]
    left_out: int = 0

    @property
    def newest(self) -> Record:
        """Return the newest record; the others belong to its build."""
        return self.records[-1]


@dataclass(frozen=True, slots=True)
class CellObservation:
    """One cell in one record."""

    record: Record
    cell: CellResult


def side_of(given: str, records: Sequence[Record], like: Record | None = None) -> Side:
    """The records of one build, device, suite and model: the newest, or the newest alike to `like`.

    Records of other builds would add their difference to the noise, so they are left out and counted.

    Raises:
        UsageError: no records.
    """
    if not records:
        raise UsageError(f"{given}: holds no records")
    ordered = sorted(records, key=lambda record: (record.created_at, record.record_id))
    anchor = ordered[-1] if like is None else max(ordered, key=lambda record: _nearness(record, like))
    build = values(ONE_SIDE, anchor)
    alike = tuple(record for record in ordered if values(ONE_SIDE, record) == build)
    once = tuple({record.record_id: record for record in alike}.values())
    return Side(given, once, len(ordered) - len(alike))


def cells_of(side: Side) -> dict[str, tuple[CellObservation, ...]]:
    """By cell id, every observation of the cell, oldest first."""
    found: dict[str, list[CellObservation]] = {}
    for record in side.records:
        for cell in record.cells:
            found.setdefault(cell.cell_id, []).append(CellObservation(record, cell))
    return {cell_id: tuple(observed) for cell_id, observed in found.items()}


def names(sides: Sequence[Side]) -> tuple[str, ...]:
    """Card, version and date of each side's newest record; with the record's id, or a number, where two sides
    would have one name.
    """
    plain = [_name(side.newest) for side in sides]
    longer = _apart(plain, [f"record {side.newest.record_id}" for side in sides])
    return tuple(_apart(longer, [f"side {number}" for number in range(1, len(sides) + 1)]))


def _apart(names: Sequence[str], additions: Sequence[str]) -> list[str]:
    """The names, with their additions where another one is equal."""
    counts = Counter(names)
    return [
        f"{name}, {more}" if counts[name] > 1 else name for name, more in zip(names, additions, strict=True)
    ]


def _name(record: Record) -> str:
    software = record.environment
    commit = f" ({software.bench_commit[:7]})" if software.bench_commit else ""
    return f"{record.device.name}, bench {software.bench_version}{commit}, {record.created_at:%Y-%m-%d}"


def info(side: Side, name: str) -> SideInfo:
    """The side as the document describes it, under this name."""
    newest = side.newest
    return SideInfo(
        label=name,
        records=tuple(_used(record) for record in side.records),
        left_out=side.left_out,
        model=newest.model.name,
        repo=newest.model.repo,
        suite=newest.suite.name,
        suite_version=newest.suite.version,
        suite_origin=newest.suite.origin,
        device=newest.device.name,
        device_slug=newest.device.slug,
        provenance=newest.provenance,
        weight_mode=newest.model.weight_mode,
        bench_version=newest.environment.bench_version,
        bench_commit=newest.environment.bench_commit,
        torch=newest.environment.torch,
    )


def _used(record: Record) -> RecordUsed:
    created = record.created_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return RecordUsed(id=record.record_id, hash=record.content_hash, created_at=created)


def _nearness(record: Record, like: Record) -> tuple[object, ...]:
    """The more alike, the larger; among equals the newest."""
    ours, wanted = values(NEAREST_SIDE, record), values(NEAREST_SIDE, like)
    return (*(ours[aspect] == wanted[aspect] for aspect in NEAREST_SIDE), record.created_at)
