"""A card under load: power, clocks, heat, and reasons for throttling. Pure: samples in, figures out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from bench.hardware.readings import SlowSample
from bench.measure.energy import Floats, Span, Trace, energies, within
from bench.records.card import DeviceState, Power, Range, Sampled

_SHARE: Final = 0.05  # of the samples: less does not make a run slow
_FAULTS: Final = frozenset({"sw_thermal_slowdown", "hw_slowdown", "hw_thermal_slowdown", "hw_power_brake"})
_POWER_CAP: Final = "sw_power_cap"


def power_of(trace: Trace, slow: Sequence[SlowSample], spans: Sequence[Span], period_s: float) -> Power:
    """Return power, clocks and heat over the spans, and the fastest link of all samples, loading included."""
    source, joules = energies(trace, spans)
    timed = during(slow, spans)
    return Power(
        source=source,
        sampler=_watched(trace.at_s, spans, period_s),
        energies_j=joules,
        power_w=range_of(trace.power_w[within(trace.at_s, spans)].tolist()),
        temperature_c=range_of(sample.temperature_c for sample in timed),
        sm_clock_mhz=range_of(sample.sm_clock_mhz for sample in timed),
        memory_clock_mhz=range_of(sample.memory_clock_mhz for sample in timed),
        throttle_reasons=shares(timed),
        pcie_generation=_most(sample.pcie_generation for sample in slow),
        pcie_width=_most(sample.pcie_width for sample in slow),
    )


def during(slow: Sequence[SlowSample], spans: Sequence[Span]) -> list[SlowSample]:
    """Return the samples within any of the spans."""
    inside = within(np.array([sample.at_s for sample in slow], dtype=np.float64), spans)
    return [sample for sample, timed in zip(slow, inside, strict=True) if timed]


def range_of(values: Iterable[float | None]) -> Range | None:
    """Least, median and most of the reported values (not None, not NaN); None without any."""
    reported = [value for value in values if value is not None and not np.isnan(value)]
    if not reported:
        return None
    return Range(low=min(reported), median=float(np.median(reported)), high=max(reported))


def shares(samples: Sequence[SlowSample]) -> dict[str, float] | None:
    """Return the share of samples with each reason for throttling, without those that never applied.

    None where the driver reports no reasons: that is not the same as a card without any.
    """
    reported = _reported(samples)
    if not reported:
        return None
    return {name: _share(reported, frozenset({name})) for name in sorted(frozenset().union(*reported))}


def is_throttled(samples: Sequence[SlowSample], *, limit_lowered: bool) -> bool:
    """Whether heat or the power supply held the card back in 5 % of the samples or more.

    A card at its maker's power limit works as designed; at a lowered limit it is throttled.
    """
    reported = _reported(samples)
    return bool(reported) and _share(reported, _causes(limit_lowered=limit_lowered)) >= _SHARE


def any_throttles(shares_of: Mapping[str, float], *, limit_lowered: bool) -> bool:
    """Whether one of these reasons alone makes a cell throttled; `shares_of` are those of `shares`."""
    causes = _causes(limit_lowered=limit_lowered)
    return any(share >= _SHARE for name, share in shares_of.items() if name in causes)


def is_limit_lowered(state: DeviceState | None) -> bool:
    """Whether the power limit is below the maker's."""
    if state is None or state.power_limit_w is None or state.power_limit_default_w is None:
        return False
    return state.power_limit_w < state.power_limit_default_w


def is_contended(seen: Collection[int], before: Collection[int], workers: Collection[int]) -> bool:
    """Whether a process other than our workers computed on the card, as far as it is known.

    `seen` are the pids of one cell, `before` those before the run's first worker. Inside a container the
    driver names pids of the host: where it does not know our worker, a new pid may be ours.
    """
    ours = set(workers).difference(before)
    others = set(seen) - ours
    return not others.isdisjoint(before) or (bool(others) and not ours.isdisjoint(seen))


def _causes(*, limit_lowered: bool) -> frozenset[str]:
    return _FAULTS | {_POWER_CAP} if limit_lowered else _FAULTS


def _reported(samples: Sequence[SlowSample]) -> list[frozenset[str]]:
    return [sample.throttle_reasons for sample in samples if sample.throttle_reasons is not None]


def _share(reported: Sequence[frozenset[str]], reasons: frozenset[str]) -> float:
    return sum(1 for each in reported if each & reasons) / len(reported)


def _watched(at_s: Floats, spans: Sequence[Span], period_s: float) -> Sampled:
    """Return the sampling of the spans; a gap that reaches into a span counts whole."""
    gap = np.zeros(max(0, len(at_s) - 1), dtype=np.bool_)
    for begin, end in spans:
        gap |= (at_s[1:] > begin) & (at_s[:-1] < end)
    gaps = np.diff(at_s)[gap]
    return Sampled(
        period_s=period_s,
        samples=int(np.count_nonzero(within(at_s, spans))),
        largest_gap_s=float(np.max(gaps)) if len(gaps) else None,
    )


def _most(values: Iterable[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)
