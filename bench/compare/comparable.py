"""Whether two runs of a cell can be compared, and why not."""

from collections.abc import Iterator
from typing import Final

from bench.compare.sides import CellObservation
from bench.judge.memory import is_contended
from bench.judge.same_run import (
    COMPARED_ON_ONE_DEVICE,
    COMPARED_ON_TWO_DEVICES,
    COMPARED_RUNS,
    IMPROVEMENTS,
    Use,
    differing,
    is_same_device,
    values,
)
from bench.records.aspects import Aspect
from bench.records.base import Frozen
from bench.records.cell import CellResult
from bench.records.comparison import Difference
from bench.records.comparison_reasons import CellReason, Differs, Disturbed
from bench.records.enums import Label
from bench.records.record import Record

_DISTURBING: Final = (Label.THROTTLED, Label.CONTENDED, Label.SPILLED)
_FOLLOWS: Final = {
    Aspect.SUITE_VERSION: Aspect.SUITE_NAME,
    Aspect.SUITE_ORIGIN: Aspect.SUITE_NAME,
    Aspect.RAN_OPERATORS: Aspect.RAN_ATTENTION,
    Aspect.RAN_ENCODER_OPERATORS: Aspect.RAN_ENCODER_ATTENTION,
}
"""Aspects that differ because another one does: only the other one is stated."""
_NOT_IN_OLDER_RECORDS: Final = frozenset(
    {Aspect.SUITE_ORIGIN, Aspect.RAN_KERNEL, Aspect.RAN_GROUPING, Aspect.RAN_ENCODER_KERNEL}
)


def incomparable_reasons(base: CellObservation, new: CellObservation) -> tuple[CellReason, ...]:
    """Every reason; empty where the figures of both may be compared."""
    return tuple(_reasons(base, new))


def records_differ(base: Record, new: Record) -> tuple[Differs, ...]:
    """The reasons that hold for every cell of two records."""
    return tuple(_differences(COMPARED_RUNS, base, new))


def improvements(base: CellResult, new: CellResult) -> tuple[Differs, ...]:
    """Differences of the engine's work that do not forbid the comparison."""
    return tuple(_differences(IMPROVEMENTS, base, new)) if _were_observed(base, new) else ()


def disturbances(cell: CellResult) -> tuple[Label, ...]:
    """Labels of a cell whose figures are not those of the undisturbed device."""
    labels = set(cell.summary.labels) if cell.summary is not None else set()
    if is_contended(cell):
        labels.add(Label.CONTENDED)
    return tuple(label for label in _DISTURBING if label in labels)


def differences(base: Record, new: Record) -> tuple[Difference, ...]:
    """Differences of software and hardware between two records, for the reader."""
    return tuple(
        Difference(what=what, base=old, new=now)
        for (what, old), (_, now) in zip(_facts(base, new), _facts(new, base), strict=True)
        if old != now
    )


def _reasons(base: CellObservation, new: CellObservation) -> Iterator[CellReason]:
    yield from _differences(COMPARED_RUNS, base.record, new.record)
    yield from (Disturbed(side="base", label=label) for label in disturbances(base.cell))
    yield from (Disturbed(side="new", label=label) for label in disturbances(new.cell))
    if _were_observed(base.cell, new.cell):
        on_one_device = is_same_device(base.record, new.record)
        use = COMPARED_ON_ONE_DEVICE if on_one_device else COMPARED_ON_TWO_DEVICES
        yield from _differences(use, base.cell, new.cell)


def _were_observed(base: CellResult, new: CellResult) -> bool:
    return base.effective is not None and new.effective is not None


def _differences(use: Use, base: Frozen, new: Frozen) -> Iterator[Differs]:
    old, now = values(use, base), values(use, new)
    found = differing(old, now)
    for aspect in found:
        if aspect in _NOT_IN_OLDER_RECORDS and None in {old[aspect], now[aspect]}:
            continue
        if _FOLLOWS.get(aspect) not in found:
            yield Differs(aspect=aspect, base=_short(old[aspect]), new=_short(now[aspect]))


def _short(value: object) -> str | int | float | None:
    """A value that a reason states; None for one that has many parts."""
    if isinstance(value, str):
        return str(value)
    return value if isinstance(value, int | float) else None


def _facts(record: Record, other: Record) -> Iterator[tuple[str, str | None]]:
    software, device = record.environment, record.device
    yield "device", device.name
    yield "machine key", record.machine_key and record.machine_key[:8]
    yield "driver", device.driver
    for name in ("bench_version", "bench_commit", "python", "torch", "transformers", "os", "kernel", "cpu"):
        yield name.replace("_", " "), getattr(software, name)
    yield "uncommitted changes", None if software.bench_dirty is None else str(software.bench_dirty).lower()
    for name in sorted({*software.packages, *other.environment.packages}):
        yield name, software.packages.get(name)
    for name in sorted({*software.variables, *other.environment.variables}):
        yield name, software.variables.get(name)
