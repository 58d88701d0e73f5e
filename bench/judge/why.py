"""The sentence below a verdict: one for each way in which a record can come out."""

from bench import units
from bench.judge.memory import (
    CardMemory,
    has_spilled,
    is_emulated,
    needed_bytes,
    peak_of,
    ran_out_beside_another,
)
from bench.records.card import Emulation
from bench.records.record import CellResult, Record


def _smallest_misfit(record: Record) -> CellResult | None:
    cells = [
        cell
        for cell in record.cells
        if cell.outcome.status == "out_of_memory" and not ran_out_beside_another(cell)
    ]
    return min(cells, key=size, default=None)


def size(cell: CellResult) -> tuple[float, int]:
    """What makes a cell larger than another: its clip, then its new tokens."""
    return cell.requested.clip_seconds, cell.requested.max_tokens


def shape(cell: CellResult) -> str:
    """`120 s (2 min) with 512 new tokens`."""
    return shape_of(cell.requested.clip_seconds, cell.requested.max_tokens)


def shape_of(clip_s: float, max_tokens: int) -> str:
    """The same of a clip length and a number of new tokens."""
    return f"{length(clip_s)} with {max_tokens:,} new token{'' if max_tokens == 1 else 's'}"


def length(clip_s: float) -> str:
    """`120 s (2 min)`; without the minutes up to one."""
    minutes = f" ({units.seconds(clip_s)})" if clip_s > 60 else ""
    return f"{units.clip_length(clip_s)}{minutes}"


def smoke(record: Record) -> str:
    """A run of the tiny model."""
    ran = sum(1 for cell in record.cells if cell.outcome.status == "measured")
    return (
        f"This is a smoke run: {ran} of {len(record.cells)} cells of a tiny model ran, which shows that the "
        "pipeline works and says nothing about whether the real model runs."
    )


def elsewhere(record: Record, kind: str) -> str:
    """The cells ran on another kind of device than the record is about."""
    return f"The cells computed on the {kind}, which tells nothing of {record.device.name}."


def runs(record: Record, cell: CellResult, beside: list[CellResult]) -> str:
    """At least one cell ran. `beside`: the cells that fit beside a desktop too; empty where nothing tells."""
    misfit = _smallest_misfit(record)
    limit = f"; a clip of {shape(misfit)} ran out of memory" if misfit else ""
    largest = max(beside, key=size, default=None)
    desktop = ""
    if largest is not None:
        same = largest.cell_id == cell.cell_id
        desktop = "; it fits beside a desktop too" if same else f"; beside a desktop up to {shape(largest)}"
    return f"{_ran(record, cell)}{desktop}{limit}."


def runs_headless(record: Record, ran: list[CellResult], memory: CardMemory) -> str:
    """Cells ran, and none would have fitted beside a desktop."""
    smallest = min(ran, key=lambda cell: needed_bytes(cell, record.emulation) or 0)
    need, room = needed_bytes(smallest, record.emulation), memory.desktop_bytes
    return (
        f"{_ran(record, max(ran, key=size))}; beside a desktop nothing that ran fits: the least takes "
        f"{units.both_units(need)} and {units.both_units(room)} would be left."
    )


def _ran(record: Record, cell: CellResult) -> str:
    """`The longest clip that ran is 60 s with 512 new tokens: 46.6 tok/s and a process peak of ...`.

    Without the speed where a card was emulated: it would be that of the device that played it.
    """
    decode = cell.summary.decode_tokens_per_s if cell.summary and not is_emulated(record) else None
    figures = [units.rate(decode.median, "tok/s") if decode else "", _memory(record, cell)]
    detail = " and ".join(filter(None, figures))
    return f"{_card(record)} longest clip that ran is {shape(cell)}{': ' if detail else ''}{detail}"


def _memory(record: Record, cell: CellResult) -> str:
    if record.emulation is not None:
        need = needed_bytes(cell, record.emulation)
        return "" if need is None else f"{units.both_units(need)} of it, CUDA context included"
    peak = peak_of(cell, record.device)
    return f"a {peak.words} of {units.both_units(peak.size_bytes)}" if peak else ""


def _card(record: Record) -> str:
    """`The`, or `On an emulated card of 12.88 GB (11.99 GiB), the`."""
    if record.emulation is None:
        return "The"
    return f"On an emulated card of {_total(record.emulation)}, the"


def nothing_fits(record: Record) -> str:
    """Nothing but out of memory."""
    misfit = _smallest_misfit(record)
    smallest = f": even a clip of {shape(misfit)} ran out of memory" if misfit else ""
    where = "" if record.emulation is None else f" an emulated card of {_total(record.emulation)}"
    return f"Nothing that was tried fits{where}{smallest}."


def _total(emulation: Emulation) -> str:
    return units.both_units(emulation.total_bytes)


def spilled(record: Record) -> str:
    """Nothing ran from the card's own memory."""
    spilled = min((cell for cell in record.cells if has_spilled(cell)), key=size)
    return (
        f"Nothing that was tried fits the card: even a clip of {shape(spilled)} lay partly in system memory."
    )


def unsupported(record: Record) -> str:
    """Nothing that was asked for can run."""
    reasons = {
        cell.outcome.reason
        for cell in record.cells
        if cell.outcome.status == "unsupported" and cell.outcome.reason
    }
    because = f": {next(iter(reasons))}" if len(reasons) == 1 else f", for {len(reasons)} different reasons"
    return f"Nothing that was asked for can run here{because}".rstrip(".") + "."


def unknown(record: Record) -> str:
    """No verdict, and why there is none."""
    if not record.cells:
        return "The record holds no cells, so nothing is known."
    statuses = [cell.outcome.status for cell in record.cells]
    if set(statuses) == {"predicted"}:
        return "Nothing was run: every figure is a prediction."
    counts = {status: statuses.count(status) for status in dict.fromkeys(statuses)}
    tally = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in counts.items())
    return f"No cell of this run finished ({tally}), so nothing is known."
