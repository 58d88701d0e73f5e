from collections.abc import Sequence

import pytest

from bench.judge.metrics import METRICS, samples, value
from bench.records.record import Repeat, Summary
from tests.samples import records as samples_of


def test_every_metric_of_a_summary_has_a_direction() -> None:
    assert set(METRICS) == set(Summary.model_fields) - {"labels"}


def test_the_value_is_the_median() -> None:
    cell = samples_of.measured(samples_of.requested())
    assert cell.summary is not None
    assert cell.summary.latency_s is not None
    assert value(cell.summary, "latency_s") == cell.summary.latency_s.median
    assert value(cell.summary, "allocated_peak_bytes") == cell.summary.allocated_peak_bytes
    assert value(None, "latency_s") is None


def test_the_raw_repeats_are_kept_apart() -> None:
    cell = samples_of.measured(samples_of.requested())
    repeats: Sequence[Repeat] = cell.repeats
    assert samples(cell, "latency_s") == tuple(repeat.latency_s for repeat in repeats)
    assert samples(cell, "energy_j") == ()


def test_a_name_that_is_no_metric_is_refused() -> None:
    with pytest.raises(KeyError):
        value(None, "speed")
    with pytest.raises(KeyError):
        samples(samples_of.measured(samples_of.requested()), "speed")
