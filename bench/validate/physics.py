"""What no card can do, with the slack that each rule grants. No limit is typed by hand for a card.

Work and speed are in `bench.validate.speed`.

Bandwidth, BF16 rate and power limit are those of the catalog or of the driver; a card can be overclocked, and
boosts above its specification. Up to the first slack nothing is said, up to the second one the figure is
suspicious, above it is an error. A card that the catalog does not have has fewer rules.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final

from bench.arithmetic import architecture
from bench.engines.native.profiles import settings_of
from bench.hardware.catalog import Card, cards
from bench.measure.summary import peak
from bench.records.card import Power, Range
from bench.records.cell import CellResult
from bench.records.enums import Label, Provenance
from bench.records.record import Record
from bench.units import MIB
from bench.validate.candidate import Candidate, Fact, Found
from bench.validate.claims import NATIVE, element_bytes, released_shapes
from bench.validate.speed import counts, needed, speed

POWER_SLACK: Final = 1.25
"""Samples of power pass the limit for some milliseconds."""
RAISED: Final = 1.5
"""Where the driver reports no power limit: by so much owners can raise that of the specification."""
LAPTOP_RAISED: Final = 2.0
"""The specification of a laptop is its base: makers of laptops set up to 1.85 times that."""
ENERGY_SLACK: Final = 1.1
"""Energy over a whole repeat: the limit holds on average. One period of the counter is added."""
LEAST_POWER_W: Final = 5.0
"""A discrete card takes more when idle."""
WATCHED_SLACK: Final = (0.0, 0.1)
"""A peak of the driver may fall between two samples: it may be lower than what the framework held, by a
share that is suspicious up to a tenth."""
LOOKED_BYTES: Final = 64 * MIB
"""By so much nothing is said of it."""

_WATCHED: Final = ("reserved_peak_bytes", "process_peak_bytes", "device_peak_bytes")
_COUNTER_S: Final = 0.1
_CLOCK_MHZ: Final = (100.0, 4000.0)
_MEMORY_CLOCK_MHZ: Final = (100.0, 20_000.0)
_TEMPERATURE_C: Final = (0.0, 110.0)
_HOT_C: Final = 95.0
_WIDTHS: Final = frozenset({1, 2, 4, 8, 16, 32})
_GENERATIONS: Final = range(1, 8)


def physics(candidate: Candidate) -> Iterator[Found]:
    """Yield what is impossible or unusual for the card, cell by cell."""
    record = candidate.record
    card = next((card for card in cards() if card.slug == record.device.slug), None)
    for path, cell in candidate.measured:
        least = needed(record, cell)
        if least is not None:
            yield from counts(path, cell, least)
        yield from _memory(record, path, cell)
        if record.device.kind == "cuda" and record.provenance is not Provenance.EMULATED:
            work = cell.work if least is None else least.work
            if card is not None and work is not None:
                yield from speed(path, cell, card, work)
            if cell.power is not None:
                yield from _power(record, path, cell, cell.power, card)


# --- memory -----------------------------------------------------------------------------------------------


def _memory(record: Record, path: str, cell: CellResult) -> Iterator[Found]:
    memory, summary = cell.memory, cell.summary
    if summary is None:
        return
    spilled = Label.SPILLED.value in summary.labels
    for phase, figures in memory.phases.items() if memory is not None else ():
        allocated, reserved = figures.allocated_peak_bytes, figures.reserved_peak_bytes
        if allocated is not None and reserved is not None and allocated > reserved:
            facts: dict[str, Fact] = {"low_bytes": reserved, "high_bytes": allocated}
            yield Found("memory_disordered", f"{path}.memory.phases.{phase}", facts)
    peaks = {"allocated_peak_bytes": peak(memory, "allocated_peak_bytes")}
    if record.device.kind == "cuda":
        peaks |= {name: getattr(summary, name) for name in _WATCHED}
    known = {name: found for name, found in peaks.items() if found is not None}
    yield from _against_weights(record, path, cell, known, spilled=spilled)
    if record.device.kind == "cuda":
        yield from _against_card(record, path, known, spilled=spilled)
    yield from _watched(path, known, spilled=spilled)


def _against_weights(
    record: Record, path: str, cell: CellResult, known: Mapping[str, int], *, spilled: bool
) -> Iterator[Found]:
    """The first peak that is known holds the weights; one of the driver may fall between two samples."""
    name, found = next(iter(known.items()), ("", 0))
    least = _weights_on_device(record, cell)
    is_sampled = name in {"process_peak_bytes", "device_peak_bytes"}
    if not name or (is_sampled and spilled):
        return
    if found < (1 - WATCHED_SLACK[1] if is_sampled else 1) * least:
        facts: dict[str, Fact] = {"found_bytes": found, "least_bytes": least}
        yield Found("memory_below_weights", f"{path}.summary.{name}", facts)


def _against_card(record: Record, path: str, known: Mapping[str, int], *, spilled: bool) -> Iterator[Found]:
    """No peak is above the card's memory; what spilled, above that and the host's."""
    total, host = record.device.memory_total_bytes, record.environment.ram_bytes
    for name, found in known.items():
        is_elsewhere = spilled and name != "device_peak_bytes"
        if total is None or (is_elsewhere and host is None):
            continue
        most = total + (host or 0) if is_elsewhere else total
        if found > most:
            facts: dict[str, Fact] = {"found_bytes": found, "most_bytes": most}
            yield Found("memory_above_card", f"{path}.summary.{name}", facts)
            return


def _weights_on_device(record: Record, cell: CellResult) -> int:
    """Weights that are on the device while a clip is processed: `lean` moves the embeddings to the host."""
    shapes, is_on_host = released_shapes(record), _embeddings(cell) == "host"
    if shapes is None:
        return 0 if is_on_host or cell.memory is None else cell.memory.weights_bytes
    text = shapes.language_config
    total = architecture.parameters(shapes).total
    leaving = text.vocab_size * text.hidden_size if is_on_host else 0
    return (total - leaving) * element_bytes(cell.requested.dtype)


def _embeddings(cell: CellResult) -> str | None:
    """The place of the embeddings, as stated; by the profile where nothing is."""
    if cell.effective is None and cell.requested.engine == NATIVE:
        return settings_of(cell.requested.profile).embeddings
    return None if cell.effective is None else cell.effective.embeddings


def _watched(path: str, known: Mapping[str, int], *, spilled: bool) -> Iterator[Found]:
    """Reserved, process and device peaks, each at least the one before."""
    watched = [(name, known[name]) for name in _WATCHED if name in known]
    for (_, low), (name, high) in pairwise(watched):
        short = low - high
        if short > LOOKED_BYTES and not spilled:
            facts: dict[str, Fact] = {"low_bytes": high, "high_bytes": low}
            far = short > WATCHED_SLACK[1] * low
            yield Found("memory_disordered" if far else "reading_unusual", f"{path}.summary.{name}", facts)


# --- power and readings -----------------------------------------------------------------------------------


def _power(record: Record, path: str, cell: CellResult, power: Power, card: Card | None) -> Iterator[Found]:
    limit = _limit_w(record, card)
    if cell.repeats and power.energies_j and len(power.energies_j) != len(cell.repeats):
        yield Found("reading_impossible", f"{path}.power.energies_j", {"found": len(power.energies_j)})
    if limit is not None and power.power_w is not None and power.power_w.high > POWER_SLACK * limit:
        facts: dict[str, Fact] = {"found_w": power.power_w.high, "limit_w": limit}
        yield Found("power_above_limit", f"{path}.power.power_w.high", facts)
    for nth, (energy, repeat) in enumerate(zip(power.energies_j, cell.repeats, strict=False)):
        where, took = f"{path}.power.energies_j[{nth}]", repeat.latency_s
        if limit is not None and energy > ENERGY_SLACK * limit * (took + _COUNTER_S):
            yield Found("energy_above_power", where, {"found_j": energy, "limit_w": limit, "took_s": took})
        elif energy < LEAST_POWER_W * max(0.0, took - _COUNTER_S):
            yield Found("energy_below_idle", where, {"found_j": energy, "took_s": took})
    yield from _readings(f"{path}.power", power)
    state = record.device_state
    most = (None, None) if state is None else (state.pcie_generation_max, state.pcie_width_max)
    for name, allowed, limit_of in (
        ("pcie_generation", _GENERATIONS, most[0]),
        ("pcie_width", _WIDTHS, most[1]),
    ):
        value = getattr(power, name)
        if value is not None and (value not in allowed or (limit_of is not None and value > limit_of)):
            yield Found("reading_impossible", f"{path}.power.{name}", {"found": value})


def _limit_w(record: Record, card: Card | None) -> float | None:
    """The limit of the driver, at most by so much above the specification as owners can raise it.

    The limit of a laptop moves with the load of its CPU, and its maker sets it within a wide range.
    """
    is_laptop, state = "laptop" in record.device.name.lower(), record.device_state
    stated = None if state is None or is_laptop else state.power_limit_w
    if card is None or card.tdp_w is None:
        return stated
    most = (LAPTOP_RAISED if is_laptop else RAISED) * card.tdp_w
    return most if stated is None else min(stated, most)


def _readings(path: str, power: Power) -> Iterator[Found]:
    for name, bounds in (
        ("sm_clock_mhz", _CLOCK_MHZ),
        ("memory_clock_mhz", _MEMORY_CLOCK_MHZ),
        ("temperature_c", _TEMPERATURE_C),
    ):
        found: Range | None = getattr(power, name)
        if found is None:
            continue
        ordered = found.low <= found.median <= found.high
        if not ordered or found.low < bounds[0] or found.high > bounds[1]:
            yield Found("reading_impossible", f"{path}.{name}", {"found": found.high})
    if power.temperature_c is not None and _HOT_C < power.temperature_c.high <= _TEMPERATURE_C[1]:
        yield Found("reading_unusual", f"{path}.temperature_c", {"found": power.temperature_c.high})
