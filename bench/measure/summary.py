"""One value per metric over the repeats of one cell, and its warning labels. Pure."""

from dataclasses import dataclass
from statistics import median

from bench.hardware.budget import CONTEXT
from bench.measure.fractions import bandwidth_fraction, bf16_fraction
from bench.measure.statistics import is_noisy, known_statistic, statistic
from bench.records.card import DeviceMemory, Power
from bench.records.cell import Memory, Repeat, Work
from bench.records.enums import Label, Phase
from bench.records.metrics import Summary
from bench.records.record import DeviceInfo


@dataclass(frozen=True, kw_only=True)
class CellFigures:
    """The raw figures of a measured cell; `repeats` is never empty. `labels` are the driver's.

    `spills_from_bytes` was free on the card before the run, where Windows moves what is beyond it to system
    memory; None where a program runs out of memory instead.
    """

    repeats: tuple[Repeat, ...]
    clip_seconds: float
    noise_cv: float
    load_s: float | None = None
    memory: Memory | None = None
    work: Work | None = None
    device: DeviceInfo | None = None
    device_memory: DeviceMemory | None = None
    power: Power | None = None
    labels: tuple[str, ...] = ()
    spills_from_bytes: int | None = None


def summarise(cell: CellFigures) -> Summary:
    """Return one value per metric; None where it is unknown."""
    repeats = cell.repeats
    decode = known_statistic(repeat.decode_tokens_per_s for repeat in repeats)
    energy = median(cell.power.energies_j) if cell.power and cell.power.energies_j else None
    device, seen = cell.device, cell.device_memory
    return Summary(
        load_s=cell.load_s,
        preprocess_s=known_statistic(repeat.preprocess_s for repeat in repeats),
        encode_s=known_statistic(repeat.encode_s for repeat in repeats),
        time_to_first_token_s=statistic([repeat.time_to_first_token_s for repeat in repeats]),
        decode_tokens_per_s=decode,
        latency_s=statistic([repeat.latency_s for repeat in repeats]),
        real_time_factor=statistic([repeat.real_time_factor for repeat in repeats]),
        generated_tokens=repeats[0].generated_tokens,
        allocated_peak_bytes=peak(cell.memory, "allocated_peak_bytes"),
        reserved_peak_bytes=peak(cell.memory, "reserved_peak_bytes"),
        resident_peak_bytes=peak(cell.memory, "resident_peak_bytes"),
        process_peak_bytes=seen.process_peak_bytes if seen else None,
        device_peak_bytes=seen.device_peak_bytes if seen else None,
        energy_j=energy,
        energy_per_token_j=None if energy is None else energy / repeats[0].generated_tokens,
        energy_per_audio_second_j=None if energy is None else energy / cell.clip_seconds,
        bandwidth_fraction=bandwidth_fraction(
            cell.work,
            decode.median if decode else None,
            device.memory_bandwidth_bytes_per_s if device else None,
        ),
        bf16_fraction=bf16_fraction(cell.work, repeats, device.bf16_operations_per_s if device else None),
        labels=_labels(cell),
    )


def _labels(cell: CellFigures) -> tuple[str, ...]:
    noisy = (Label.NOISY,) if is_noisy(cell.repeats, cell.noise_cv) else ()
    return (*noisy, *cell.labels, *((Label.SPILLED,) if _spilled(cell) else ()))


def _spilled(cell: CellFigures) -> bool:
    """Whether the framework held more than the card has, or with its context more than was free there.

    Under Windows the rest lies in system memory. The driver does not report the context of a cell that
    spilled: it counts as the smallest that was seen.
    """
    if cell.memory is None or cell.device is None or cell.device.kind != "cuda":
        return False
    phases = cell.memory.phases.values()
    peaks = [peak for phase in phases for peak in (phase.allocated_peak_bytes, phase.reserved_peak_bytes)]
    held, total = max((peak for peak in peaks if peak is not None), default=0), cell.device.memory_total_bytes
    context = cell.device_memory.context_bytes if cell.device_memory else None
    taken = held + (CONTEXT.low_bytes if context is None else context)
    beyond_free = cell.spills_from_bytes is not None and taken > cell.spills_from_bytes
    return held > 0 and (beyond_free or (total is not None and held > total))


def peak(memory: Memory | None, name: str) -> int | None:
    """Return the largest value over the phases of a generation; loading is a peak of its own."""
    if memory is None:
        return None
    values = [getattr(phase, name) for key, phase in memory.phases.items() if key is not Phase.LOAD]
    known = [value for value in values if value is not None]
    return max(known) if known else None
