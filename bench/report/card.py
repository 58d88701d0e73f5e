"""Facts about the graphics card: its budget and use, its state, and the card that it emulated."""

from collections.abc import Iterator

from bench import units
from bench.judge.memory import CardMemory, is_emulated
from bench.records.card import DeviceState, Emulation
from bench.records.check import Check
from bench.records.record import DeviceInfo, Record
from bench.report.basics import Fact, pcie_link, whole
from bench.text import MAX_NAME, clean

_Pair = tuple[str, str]


def facts(record: Record, check: Check) -> tuple[Fact, ...]:
    """Budget, then state; empty for a record without a card. A value that was not reported is `n/a`."""
    pairs = [*_budget(record, check), *_emulation(record.emulation), *_state(record.device_state)]
    pairs += _rates(record.device)
    return tuple(Fact(clean(label, MAX_NAME), clean(text)) for label, text in pairs)


def lines(record: Record, check: Check) -> tuple[str, ...]:
    """Budget and work in at most two lines, for a terminal; none for a record without a card."""
    memory, most = memory_of(check), most_needed(check)
    parts = [
        f"{units.gib(memory.headless_bytes)} without a desktop" if memory.headless_bytes is not None else "",
        f"{units.gib(memory.desktop_bytes)} with one" if memory.desktop_bytes is not None else "",
        f"{units.gib(memory.now_bytes)} free when the run began" if memory.now_bytes is not None else "",
        f"at most {units.gib(most)} taken" if most is not None else "",
    ]
    budget = ", ".join(filter(None, parts))
    work = "" if is_emulated(record) else _work(record)
    return tuple(f"{head}: {text}" for head, text in (("Card", budget), ("Work", work)) if text)


def _work(record: Record) -> str:
    summaries = [cell.summary for cell in record.cells if cell.summary is not None]
    energy = _span([s.energy_per_token_j for s in summaries], "J per token")
    shares = _span([s.bandwidth_fraction for s in summaries], "of the memory bandwidth in decode")
    return ", ".join(filter(None, (energy, shares)))


def memory_of(check: Check) -> CardMemory:
    """The memory of the card that is available to a program."""
    vram, emulation = check.vram, check.emulation
    return CardMemory(
        headless_bytes=whole(vram.headless_bytes),
        desktop_bytes=whole(vram.desktop_bytes),
        now_bytes=whole(vram.now_bytes),
        emulated_bytes=None if emulation is None else emulation.total_bytes,
    )


def most_needed(check: Check) -> int | None:
    """The need in bytes of the cell that needed the most, CUDA context included."""
    needs = (whole(row.figure("needed_bytes")) for row in check.rows)
    return max((need for need in needs if need is not None), default=None)


def of_budget(memory: CardMemory) -> str:
    """`of 11.57 GiB without a desktop, 10.79 GiB with one`; empty if no budget is known."""
    if memory.headless_bytes is None:
        there = memory.desktop_bytes
        return "" if there is None else f"of {units.gib(there)} with a desktop"
    desktop = "" if memory.desktop_bytes is None else f", {units.gib(memory.desktop_bytes)} with one"
    return f"of {units.gib(memory.headless_bytes)} without a desktop{desktop}"


def _span(values: list[float | None], unit: str) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = units.ratio(min(known)), units.ratio(max(known))
    return f"{low} {unit}" if low == high else f"{low} to {high} {unit}"


def _budget(record: Record, check: Check) -> Iterator[_Pair]:
    if record.device_state is None and record.emulation is None:
        return
    memory, state = memory_of(check), record.device_state
    desktop = units.both_units(memory.desktop_bytes)
    if state is not None and record.emulation is None and state.budget.desktop_use_bytes is not None:
        source = f": {state.budget.desktop_use_source}" if state.budget.desktop_use_source else ""
        desktop += f"; a desktop takes {units.gib(state.budget.desktop_use_bytes)}{source}"
    yield "Budget without a desktop", units.both_units(memory.headless_bytes)
    yield "Budget with a desktop", desktop
    if record.emulation is None:
        yield "Free when the run began", units.both_units(memory.now_bytes)
    yield "The most that a cell needed", units.both_units(most_needed(check))


def _emulation(emulated: Emulation | None) -> Iterator[_Pair]:
    if emulated is None:
        return
    yield "Emulated card", units.both_units(emulated.total_bytes)
    yield "Its driver would keep", units.gib(emulated.reserve_bytes)
    yield "Its CUDA context would take", units.gib(emulated.context_bytes)
    yield "Left to the framework", f"{units.both_units(emulated.limit_bytes)}, by the {emulated.enforced_by}"


def _state(state: DeviceState | None) -> Iterator[_Pair]:
    if state is None:
        return
    yield "Kept by the driver", units.gib(state.memory_reserved_bytes)
    yield "In use before the run", units.gib(state.used_bytes)
    yield "Other programs", _others(state)
    yield "Display on this card", _display(state)
    yield "Memory was reported by", state.memory_source or units.NOT_AVAILABLE
    yield "Power limit", _power_limit(state)
    yield "PCIe at most", pcie_link(state.pcie_generation_max, state.pcie_width_max)
    yield "ECC", _switch(state.ecc)
    yield "Persistence", _switch(state.persistence)


def _others(state: DeviceState) -> str:
    if state.other_processes is None:
        return units.NOT_AVAILABLE
    if state.other_processes == 0:
        return "none"
    return f"{state.other_processes}, together {units.gib(state.used_by_others_bytes)}"


def _display(state: DeviceState) -> str:
    answer = {True: "yes", False: "no", None: units.NOT_AVAILABLE}[state.display]
    evidence = "; ".join(state.display_evidence)
    return f"{answer}: {evidence}" if evidence else answer


def _power_limit(state: DeviceState) -> str:
    if state.power_limit_w is None:
        return units.NOT_AVAILABLE
    limit, default = f"{state.power_limit_w:.0f} W", state.power_limit_default_w
    return limit if default is None else f"{limit}, by default {default:.0f} W"


def _switch(state: bool | None) -> str:
    return {True: "on", False: "off", None: units.NOT_AVAILABLE}[state]


def _rates(device: DeviceInfo) -> Iterator[_Pair]:
    if device.catalogued is None:
        return
    if not device.catalogued:
        yield "In the catalog", "no: its bandwidth and BF16 rate are not known"
        return
    bandwidth, rate = device.memory_bandwidth_bytes_per_s, device.bf16_operations_per_s
    yield "Memory bandwidth", units.rate(None if bandwidth is None else bandwidth / 1e9, "GB/s (catalog)")
    yield "BF16 rate", units.rate(None if rate is None else rate / 1e12, "TFLOPS, dense (catalog)")
