"""The estimate of a plan, or why there is none."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.hardware.device import Device
from bench.records.enums import WeightMode
from bench.run.estimate import Estimate
from bench.run.plan_estimate import NO_RATES, NO_SHAPES, estimate_of
from bench.run.run_spec import Origin, Plan, RunOptions, make_plan, refuse_to_choose


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(RunOptions(suite="smoke", device="cpu"), refuse_to_choose)


def operations_per_s(plan: Plan) -> float:
    estimate = estimate_of(plan)
    assert isinstance(estimate, Estimate)
    return estimate.rates.operations_per_s


def test_threads_that_the_environment_sets_count_but_for_the_tiny_model(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny, plan = plan, replace(plan, origin=Origin(WeightMode.RANDOM, "MOSS-Audio-4B-Instruct"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    one = operations_per_s(plan)
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    assert operations_per_s(plan) == 8 * one
    assert operations_per_s(tiny) == one
    for odd in ("", "0", "two", "-1", "9" * 5000):
        monkeypatch.setenv("OMP_NUM_THREADS", odd)
        assert operations_per_s(plan) >= one


def test_a_card_that_the_catalog_does_not_have_has_no_estimate(plan: Plan) -> None:
    card = Device(kind="cuda", slug="rtx-9999", name="NVIDIA GeForce RTX 9999", memory_total_bytes=2**34)
    assert estimate_of(replace(plan, device=card)) == NO_RATES


def test_a_model_whose_shapes_are_elsewhere_has_no_estimate(plan: Plan, tmp_path: Path) -> None:
    on_the_hub = Origin(WeightMode.HUB, "some-model", repo="someone/some-model")
    assert estimate_of(replace(plan, origin=on_the_hub)) == NO_SHAPES
    (tmp_path / "config.json").write_text("{}")
    broken = Origin(WeightMode.LOCAL, "mine", directory=tmp_path)
    assert estimate_of(replace(plan, origin=broken)) == NO_SHAPES
