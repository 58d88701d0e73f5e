"""Medians over records and machines, and where they differ by more than noise."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final, Literal, NamedTuple, overload

from bench.check.sources import UNKNOWN_MACHINE
from bench.records.check import CheckFigure, CheckWholeFigure
from bench.records.enums import Label, Provenance
from bench.records.metrics import IntervalKind, Metric
from bench.units import Unit

_DISTURBED: Final = frozenset({Label.THROTTLED, Label.CONTENDED, Label.SPILLED})


class Sample(NamedTuple):
    """One figure of one record; `low` and `high` are its interval, None where the record has none."""

    machine: str
    value: float
    low: float | None = None
    high: float | None = None
    kind: IntervalKind | None = None
    is_disturbed: bool = False


def is_disturbed(metric: Metric, labels: Iterable[str]) -> bool:
    """Whether a label marks this figure as not that of the undisturbed card.

    What slows a card down leaves its memory as it is. Another program's memory is part of what the whole
    device holds. Of a cell that lay partly in system memory no figure is the card's.
    """
    found = _DISTURBED.intersection(labels)
    if Label.SPILLED in found:
        return True
    if metric.unit is Unit.BYTES:
        return Label.CONTENDED in found and metric.name == "device_peak_bytes"
    return bool(found)


def undisturbed(samples: Sequence[Sample]) -> Sequence[Sample]:
    """The undisturbed samples, or all where every one is disturbed."""
    return [sample for sample in samples if not sample.is_disturbed] or samples


@overload
def merge_figure(
    unit: Literal[Unit.BYTES], samples: Sequence[Sample], provenance: Provenance
) -> CheckWholeFigure | None: ...
@overload
def merge_figure(unit: Unit, samples: Sequence[Sample], provenance: Provenance) -> CheckFigure | None: ...
def merge_figure(unit: Unit, samples: Sequence[Sample], provenance: Provenance) -> CheckFigure | None:
    """Median over machines of the medians over each one's records; None without samples.

    Reruns on one machine weigh as much as one machine. One record keeps its own value and interval.
    """
    if not samples:
        return None
    values = [sample.value for sample in samples]
    _, _, low, high, kind, _ = samples[0]
    if len(samples) > 1:
        low, high, kind = min(values), max(values), "range"
    machines = {sample.machine for sample in samples}
    return (CheckWholeFigure if unit.is_whole else CheckFigure)(
        value=_number(median(_middles(samples)), unit),
        low=_number(low, unit),
        high=_number(high, unit),
        interval_kind=kind,
        provenance=provenance,
        machines=None if UNKNOWN_MACHINE in machines else len(machines),
        records=len(samples),
    )


def disagree(metric: Metric, samples: Sequence[Sample]) -> bool:
    """Whether machines differ by more than their noise.

    They do where the intervals of two do not meet and their medians lie further apart than noise between
    processes explains. A machine's interval is that of its record; of several, from the least to the most.
    Each record without a machine key is compared with all others.
    """
    values = [sample.value for sample in samples]
    if not values or max(values) - min(values) <= _noise(metric, min(values, key=abs)):
        return False  # as nearly always: no two of them lie that far apart
    named = [sample for sample in samples if sample.machine != UNKNOWN_MACHINE]
    groups = _by_machine(named) + [[sample] for sample in samples if sample.machine == UNKNOWN_MACHINE]
    if len(groups) < 2:
        return False
    middles = [median(sample.value for sample in group) for group in groups]
    begins = max(min(map(_low, group)) for group in groups)
    ends = min(max(map(_high, group)) for group in groups)
    return begins > ends and max(middles) - min(middles) > _noise(metric, median(middles))


def _noise(metric: Metric, value: float) -> float:
    """Largest expected difference between two processes of one build, at this value of the figure."""
    return max(metric.noise * abs(value), metric.noise_bytes)


def _low(sample: Sample) -> float:
    return sample.value if sample.low is None else sample.low


def _high(sample: Sample) -> float:
    return sample.value if sample.high is None else sample.high


def _middles(samples: Sequence[Sample]) -> list[float]:
    return [median(sample.value for sample in group) for group in _by_machine(samples)]


def _by_machine(samples: Sequence[Sample]) -> list[list[Sample]]:
    groups: dict[str, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(sample.machine, []).append(sample)
    return list(groups.values())


def _number(value: float | None, unit: Unit) -> float | int | None:
    return round(value) if value is not None and unit.is_whole else value
