"""A derived record as a whole: the card against the weights, the budgets, the frontier, the sources."""

from collections.abc import Iterator

from bench import units
from bench.judge.prediction import Budgets, is_derived
from bench.judge.verdict import Judgement
from bench.records.record import Record
from bench.report.basics import Fact
from bench.report.derived import byte_ranges
from bench.report.derived.interface import Derived
from bench.report.derived.methodology import compared, how, how_lines


def derived(record: Record, judgement: Judgement) -> Derived | None:
    """What only a derived record says; None for any other."""
    if not is_derived(record):
        return None
    room = judgement.budgets
    return Derived(
        units_line=units_line(record),
        tiles=tuple(
            tiles(
                record.device.memory_total_bytes,
                record.model.weights_bytes,
                room,
                is_card=record.device.kind == "cuda",
            )
        ),
        room_line=_room_line(room),
        headless=room.headless,
        desktop=room.desktop,
        shows_headless=any(point.headless_is_known for point in judgement.frontier),
        shows_desktop=any(point.desktop_is_known for point in judgement.frontier),
        how=how(record),
        how_lines=how_lines(record),
        compared=compared(record),
    )


def units_line(record: Record) -> str:
    """`A "12 GB" card reports 12.88 GB (11.99 GiB); the weights are 10.45 GB (9.73 GiB).`

    Cards are named after GiB and weights are stated in GB: held against each other as they are written, both
    look as if more were left than is.
    """
    weights = f"weights are {units.both_units(record.model.weights_bytes)}"
    total = record.device.memory_total_bytes
    if total is None or record.device.kind == "cpu":
        return f"The {weights}."
    size = str(round(total / units.GIB))
    article = "An" if size.startswith("8") or size in {"11", "18"} else "A"
    return f'{article} "{size} GB" card reports {units.both_units(total)}; the {weights}.'


def tiles(
    total_bytes: int | None, weights_bytes: int | None, room: Budgets, *, is_card: bool
) -> Iterator[Fact]:
    """The card, the weights and the budgets, in GiB, with the same in GB as the note."""
    where = "Memory of the card" if is_card else "Memory of the machine"
    if total_bytes is not None:
        yield Fact(where, units.gib(total_bytes), units.gb(total_bytes))
    yield Fact("Weights", units.gib(weights_bytes), units.gb(weights_bytes))
    if room.headless is not None:
        yield Fact("Room without a desktop", byte_ranges.gib(room.headless), byte_ranges.gb(room.headless))
    if room.desktop is not None:
        yield Fact("Room beside a desktop", byte_ranges.gib(room.desktop), byte_ranges.gb(room.desktop))


def _room_line(room: Budgets) -> str:
    parts = [
        f"{byte_ranges.gib(room.headless)} without a desktop" if room.headless else "",
        f"{byte_ranges.gib(room.desktop)} beside one" if room.desktop else "",
    ]
    return ", ".join(filter(None, parts))
