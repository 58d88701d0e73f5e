"""What the state of the card, and the way it was watched, take from the figures of a record."""

from collections.abc import Callable, Iterator
from typing import Final

from bench import units
from bench.judge.memory import cliffs, ran_out_beside_another
from bench.judge.prediction import is_derived
from bench.judge.same_kernels import SameKernels
from bench.records.card import DeviceState, Sampled
from bench.records.record import CellResult, Record

# A sampler that came late by more than this many periods may have missed a peak.
LATE_PERIODS: Final = 5
# A limit is read back in steps; what lies this close to the default is the default.
_BELOW_DEFAULT: Final = 0.99


def computed_elsewhere(record: Record) -> str | None:
    """The kind of device that the cells really computed on, where it is not the one the record is about."""
    seen = {cell.effective.device.partition(":")[0] for cell in record.cells if cell.effective is not None}
    return min(seen - {record.device.kind}, default=None)


def about_the_card(record: Record) -> Iterator[str]:
    """One sentence for each thing that a reader must know about the card as it was found."""
    elsewhere = computed_elsewhere(record)
    if elsewhere is not None:
        yield f"Computed on the {elsewhere}: no figure of this record is one of {record.device.name}."
    if record.device.catalogued is False:
        missing = "ceiling of speed" if is_derived(record) else "share of them"
        yield (
            "This card is not in the catalog: its bandwidth and BF16 rate are not known, "
            f"so no {missing} is given."
        )
    if record.device_state is not None:
        yield from _about_the_state(record.device_state)


def _about_the_state(state: DeviceState) -> Iterator[str]:
    if state.other_processes:
        others = (
            "1 other program" if state.other_processes == 1 else f"{state.other_processes} other programs"
        )
        held = state.used_by_others_bytes
        size = "" if held is None else f" and held {units.both_units(held)}"
        yield f"When the run began, {others} used the card{size}: less was left for the model."
    if state.display:
        yield "A display is on this card: what it takes was not there for the model."
    limit, default = state.power_limit_w, state.power_limit_default_w
    if limit is not None and default is not None and limit < _BELOW_DEFAULT * default:
        yield (
            f"The power limit is {limit:.0f} W, below the card's {default:.0f} W: "
            "at its default it may be faster."
        )


def about_the_card_in_cells(record: Record, alike: SameKernels) -> Iterator[str]:
    """One sentence for each thing that touches some of the cells, with their number."""
    spilled = {cell.cell_id for cell in cliffs(record)}
    counted: tuple[tuple[Callable[[CellResult], bool], str], ...] = (
        (
            lambda cell: cell.cell_id in alike,
            "asked for different attention and ran the same kernels: not comparable with each other",
        ),
        (
            lambda cell: cell.cell_id in spilled,
            "filled the card and read its memory far more slowly than the others: "
            "a sign that part of them lay in system memory",
        ),
        (
            ran_out_beside_another,
            "ran out of memory while another program computed on the card: they may fit without it",
        ),
        (_not_back, "left memory in use on the card: the next one may not have had all of it"),
        (_lost, "ended with a driver that no longer answered: their memory and power are not whole"),
        (_watched_loosely, f"were sampled with gaps of over {LATE_PERIODS} periods: a sampled peak is weak"),
    )
    for holds, words in counted:
        yield from share(record, sum(map(holds, record.cells)), words)


def share(record: Record, count: int, words: str) -> Iterator[str]:
    """`2 of 48 cells ...`, or nothing where no cell is concerned."""
    if count:
        yield f"{count} of {len(record.cells)} cells {words}."


def _not_back(cell: CellResult) -> bool:
    return cell.device_memory is not None and cell.device_memory.back_at_baseline is False


def _lost(cell: CellResult) -> bool:
    return cell.device_memory is not None and cell.device_memory.driver_error is not None


def _watched_loosely(cell: CellResult) -> bool:
    watched = (cell.device_memory, cell.power)
    return any(part is not None and is_loose(part.sampler) for part in watched)


def is_loose(sampler: Sampled) -> bool:
    """Whether the sampler came so late at least once that a short peak may have passed unseen."""
    gap_s = sampler.largest_gap_s
    return gap_s is not None and gap_s > LATE_PERIODS * sampler.period_s
