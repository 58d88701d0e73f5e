"""Records for comparisons: one cell or several, with a speed and a scatter that are chosen."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.compare.compare import compare
from bench.compare.gates import parse_gate
from bench.compare.sides import side_of
from bench.measure.statistics import statistic
from bench.records.cell import CellResult, Repeat, Requested
from bench.records.comparison import Comparison, SideComparison
from bench.records.enums import Attention
from bench.records.record import Record
from bench.store.record_files import seal, write_record
from tests.samples import records as sample

STEADY = (1.0, 0.998, 1.002, 0.999, 1.001, 1.0005)


def cell(
    want: Requested | None = None,
    *,
    slow: float = 1.0,
    factors: Sequence[float] = STEADY,
    extra_bytes: int = 0,
) -> CellResult:
    """A cell that ran; every timed figure is `slow` times the usual, times a factor per repeat."""
    want = want or sample.requested()
    made = sample.measured(want)
    repeats = tuple(sample.repeat(want, slow=slow * factor) for factor in factors)
    assert made.summary is not None
    peaks = {
        name: getattr(made.summary, name) + extra_bytes
        for name in ("allocated_peak_bytes", "reserved_peak_bytes", "process_peak_bytes", "device_peak_bytes")
    }
    summary = made.summary.model_copy(update={**_statistics(repeats), **peaks})
    return made.model_copy(update={"repeats": repeats, "summary": summary})


def _statistics(repeats: Sequence[Repeat]) -> dict[str, object]:
    names = ("decode_tokens_per_s", "latency_s", "time_to_first_token_s", "encode_s", "preprocess_s")
    return {name: statistic([getattr(repeat, name) for repeat in repeats]) for name in names}


def record(*cells: CellResult, number: int = 0, **changes: object) -> Record:
    """A record of cells, of its own id and time."""
    made = sample.record(list(cells))
    when = datetime(2026, 6, 7, tzinfo=UTC) + timedelta(minutes=number)
    identity = {"record_id": f"{number:012x}", "created_at": when}
    return made.model_copy(update={**identity, **changes})


def requests(count: int) -> list[Requested]:
    """So many different cells."""
    return [sample.requested(10.0 * (n + 1), 128, Attention.SDPA) for n in range(count)]


def written(one: Record, path: Path) -> Path:
    """The record on disk, with its own hash."""
    write_record(seal(one.model_dump(mode="json")), path)
    return path


def against(base: Sequence[Record], new: Sequence[Record], *gates: str) -> SideComparison:
    """The comparison of two sides, which survives JSON."""
    made = compare(side_of("base", base), [side_of("new", new)], [parse_gate(gate) for gate in gates])
    assert Comparison.model_validate_json(made.model_dump_json()) == made
    return made.against[0]


def against_one(base: CellResult, new: CellResult) -> SideComparison:
    """The comparison of two records of one cell."""
    return against([record(base)], [record(new, number=1)])
