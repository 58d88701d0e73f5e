"""The metrics of the contract as comparisons, gates and expectations read them: way, value, raw repeats."""

from enum import StrEnum
from typing import Final

from bench.records.record import CellResult, Repeat, Statistic, Summary


class Better(StrEnum):
    """Which way a metric improves."""

    HIGHER = "higher"
    LOWER = "lower"


METRICS: Final[dict[str, Better]] = {
    "load_s": Better.LOWER,
    "preprocess_s": Better.LOWER,
    "encode_s": Better.LOWER,
    "time_to_first_token_s": Better.LOWER,
    "decode_tokens_per_s": Better.HIGHER,
    "latency_s": Better.LOWER,
    "real_time_factor": Better.LOWER,
    "generated_tokens": Better.HIGHER,
    "allocated_peak_bytes": Better.LOWER,
    "reserved_peak_bytes": Better.LOWER,
    "process_peak_bytes": Better.LOWER,
    "device_peak_bytes": Better.LOWER,
    "resident_peak_bytes": Better.LOWER,
    "energy_j": Better.LOWER,
    "energy_per_token_j": Better.LOWER,
    "energy_per_audio_second_j": Better.LOWER,
    "bandwidth_fraction": Better.HIGHER,
    "bf16_fraction": Better.HIGHER,
}
"""Every metric of a summary, and which way it improves."""

PROCESS_NOISE: Final = 0.07
"""How far two fresh processes of one build may lie apart in speed where nothing tells: 3 to 7 % were seen on
a noisy machine with two cores (docs/comparing.md)."""

MEMORY_NOISE: Final = 0.01
"""The same of memory: a watched peak may fall between two looks, but sizes repeat far better. A choice."""

_RAW: Final = frozenset(METRICS) & frozenset(Repeat.model_fields)


def value(summary: Summary | None, metric: str) -> float | None:
    """The median of a metric, or its one value; None where it is not available.

    Raises:
        KeyError: no such metric.
    """
    name = _known(metric)
    found: Statistic | float | int | None = getattr(summary, name) if summary is not None else None
    return found.median if isinstance(found, Statistic) else found


def samples(cell: CellResult, metric: str) -> tuple[float, ...]:
    """The raw value of every repeat; of a metric that a cell has once, that one; empty where not available.

    Raises:
        KeyError: no such metric.
    """
    if _known(metric) in _RAW:
        raw = (getattr(repeat, metric) for repeat in cell.repeats)
        return tuple(float(one) for one in raw if one is not None)
    if metric == "energy_j" and cell.power is not None:
        return cell.power.energies_j
    single = value(cell.summary, metric)
    return () if single is None else (float(single),)


def _known(metric: str) -> str:
    if metric not in METRICS:
        raise KeyError(metric)
    return metric
