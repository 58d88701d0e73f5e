"""Every summary again from the raw repeats: the same figures as `bench.measure` has, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.measure.statistics import bootstrap_intervals, statistic
from bench.records.base import Interval
from bench.records.metrics import METRICS, Statistic
from bench.validate import summaries
from tests.validate import edits
from tests.validate.edits import document_of, edited, errors, fresh, judged, value_at
from tests.validate.good import good
from tests.validate.recipes import Recipe

VALUES = st.floats(min_value=1e-6, max_value=1e6)
SAMPLES = st.integers(1, 12).flatmap(lambda count: st.lists(VALUES, min_size=count, max_size=count))
STATISTICS = [name for name, metric in METRICS.items() if metric.is_statistic]


def about(stated: Statistic, values: list[float]) -> list[str]:
    """Return the paths of what differs."""
    group = [(("at", stated), tuple(values))]
    return [found.path for found in summaries._statistics(len(values), group)]


@settings(max_examples=150)
@given(SAMPLES)
def test_a_statistic_as_measured_has_no_finding(values: list[float]) -> None:
    assert about(statistic(values), values) == []


@settings(max_examples=50)
@given(st.lists(st.lists(VALUES, min_size=5, max_size=5), min_size=1, max_size=6))
def test_rows_together_are_what_each_is_alone(rows: list[list[float]]) -> None:
    group = [((f"row{nth}", statistic(row)), tuple(row)) for nth, row in enumerate(rows)]
    assert list(summaries._statistics(5, group)) == []


@settings(max_examples=100)
@given(SAMPLES, st.sampled_from(["median", "p10", "p90"]), st.floats(min_value=1e-5, max_value=9))
def test_a_statistic_that_was_changed_is_found(values: list[float], name: str, by: float) -> None:
    real = statistic(values)
    changed = real.model_copy(update={name: getattr(real, name) * (1 + by)})
    assert about(changed, values) == [f"at.{name}"]


def test_each_end_of_an_interval_its_kind_and_its_count_are_compared() -> None:
    values = [1.0, 1.1, 1.3, 1.2, 1.5]
    real = statistic(values)
    assert real.interval is not None
    assert about(real.model_copy(update={"n": 7}), values) == ["at.n"]
    assert about(real.model_copy(update={"cv": None}), values) == ["at.cv"]
    assert about(real.model_copy(update={"interval": None}), values) == ["at.interval"]
    assert about(real.model_copy(update={"interval_kind": "range"}), values) == ["at.interval_kind"]
    assert about(real.model_copy(update={"interval_kind": None}), values) == [], "an older record"
    wide = Interval(low=real.interval.low, high=9.0)
    assert about(real.model_copy(update={"interval": wide}), values) == ["at.interval.high"]


@settings(max_examples=60)
@given(st.lists(VALUES, min_size=2, max_size=12))
def test_the_quick_bootstrap_is_the_median_of_each_draw(values: list[float]) -> None:
    """The definition of `bootstrap_intervals`, written out: a median of each of 2,000 draws."""
    sample = np.sort(np.array(values))
    draws = np.random.default_rng(20260101).integers(0, len(sample), size=(2000, len(sample)))
    low, high = np.quantile(np.median(sample[draws], axis=1), (0.025, 0.975))
    (quick_low,), (quick_high,) = bootstrap_intervals(sample[np.newaxis, :])
    assert (quick_low, quick_high) == (low, high)


# --- in a record ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STATISTICS)
def test_a_median_of_another_run(name: str) -> None:
    path = f"cells[2].summary.{name}.median"
    found = judged(edited({path: 99_999.0}))
    (only,) = [each for each in found if each.path == f"$.{path}"]
    assert only.code == "summary_mismatch"
    assert only.facts["stated"] == 99_999.0
    assert only.facts["computed"] == pytest.approx(value_at(fresh(), path))
    assert len(found) == 1


@pytest.mark.parametrize("name", STATISTICS)
def test_a_statistic_that_was_removed(name: str) -> None:
    path = f"cells[2].summary.{name}"
    assert edits.found({path: None}) == [("summary_mismatch", f"$.{path}")]


@pytest.mark.parametrize(
    "name",
    [
        "generated_tokens",
        "energy_j",
        "energy_per_token_j",
        "energy_per_audio_second_j",
        "bandwidth_fraction",
        "bf16_fraction",
        "process_peak_bytes",
        "resident_peak_bytes",
        "allocated_peak_bytes",
        "reserved_peak_bytes",
        "device_peak_bytes",
    ],
)
def test_a_single_figure_of_another_run(name: str) -> None:
    path = f"cells[1].summary.{name}"
    stated = value_at(fresh(), path)
    found = edits.found({path: 7 if stated is None else stated + 1_000_000})
    assert found == [("summary_mismatch", f"$.{path}")]
    if stated is not None:
        assert ("summary_mismatch", f"$.{path}") in edits.found({path: None})


@pytest.mark.parametrize("state", ["noisy", "contended", "throttled"])
def test_a_label_that_was_removed(state: str) -> None:
    recipe = Recipe(state=state, clips=(10.0,), tokens=(32,), repeats=5, seed=3)
    document = document_of(good(recipe))
    assert state in value_at(document, "cells[0].summary.labels")
    (only,) = judged(edited({"cells[0].summary.labels": []}, document))
    assert (only.code, only.path) == ("label_missing", "$.cells[0].summary.labels")
    assert only.facts == {"label": state}


@pytest.mark.parametrize("label", ["verified by OpenMOSS", "", "spilled"])
def test_a_label_that_no_run_on_linux_writes(label: str) -> None:
    (only,) = judged(edited({"cells[0].summary.labels": ["noisy", label]}))
    assert (only.code, only.path) == ("label_contradicted", "$.cells[0].summary.labels")
    assert only.sentence == f"No run on this system writes the label {label}."


@pytest.mark.parametrize(("system", "count"), [("windows", 0), ("wsl2", 0), ("linux", 1)])
def test_windows_alone_moves_memory_out_of_the_card(system: str, count: int) -> None:
    document = document_of(good(Recipe(system=system, clips=(10.0,), tokens=(16,))))
    assert len(judged(edited({"cells[0].summary.labels": ["spilled"]}, document))) == count


def test_a_cpu_has_nothing_to_move_memory_out_of() -> None:
    document = document_of(good(Recipe(card=None, system="windows", clips=(10.0,), tokens=(8,))))
    found = edits.found({"cells[0].summary.labels": ["spilled"]}, document)
    assert found == [("label_contradicted", "$.cells[0].summary.labels")]


def test_a_lowered_power_limit_throttles() -> None:
    lowered = edited({"device_state.power_limit_default_w": 520.0})
    assert errors(judged(lowered)) == [
        ("label_missing", f"$.cells[{place}].summary.labels") for place in range(4)
    ]


def test_more_repeats_than_any_suite_has_are_not_resampled() -> None:
    """The 2,000 draws of a million repeats would not fit in memory."""
    values = [1.0 + nth / 1e6 for nth in range(1001)]
    real = statistic(values)
    assert about(real.model_copy(update={"interval": Interval(low=0, high=9)}), values) == []
    assert about(real.model_copy(update={"median": 2.0}), values) == ["at.median"]


def test_figures_beyond_all_numbers_are_no_crash() -> None:
    changes = {f"cells[0].repeats[{nth}].latency_s": 1e308 / (nth + 1) for nth in range(3)}
    found = judged(edited(changes))
    assert ("summary_mismatch", "$.cells[0].summary.latency_s.median") in errors(found)
