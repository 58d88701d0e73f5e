"""Predictions at full size, held against what torch's allocator, the dispatcher and the system saw here."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "envelope_proof.py"


@pytest.fixture(scope="module")
def kernels() -> Any:
    """Every attention kernel that a CPU can run, in both profiles: peaks of phases."""
    command = [sys.executable, "-m", "tools.kernel_proof", "--format", "json"]
    seen = subprocess.run(command, check=True, capture_output=True, text=True, cwd=TOOL.parents[1])
    return json.loads(seen.stdout)


@pytest.mark.full_size
def test_each_phase_is_within_1_percent_of_the_profiler_for_each_kernel_and_profile(kernels: Any) -> None:
    found = {
        f"{one['clip_seconds']} s {one['profile']} {one['kernel']} {one['is_grouped']} {phase}": (
            pair["predicted"] / pair["seen"] - 1
        )
        for one in kernels
        for phase, pair in one["peaks"].items()
    }
    assert len(found) == 3 * len(kernels) >= 12
    assert {name: off for name, off in found.items() if abs(off) > 0.01} == {}


@pytest.fixture(scope="module")
def proof() -> Any:
    """The run whose tables are in docs/predictions.md."""
    command = [sys.executable, str(TOOL), "--format", "json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def differences(proof: Any, kind: str) -> dict[str, float]:
    return {
        f"{one['clip_seconds']} s {one['encoder']} {one['logits']} {one['tokens']} {phase}": (
            pair["predicted"] / pair["seen"] - 1
        )
        for one in proof["combinations"]
        for phase, pair in one[kind].items()
    }


@pytest.mark.full_size
def test_the_proof_covers_every_axis(proof: Any) -> None:
    combinations = proof["combinations"]
    assert len(combinations) >= 8
    axes = ("clip_seconds", "encoder", "logits", "tokens")
    seen = {axis: {one[axis] for one in combinations} for axis in axes}
    assert seen == {
        "clip_seconds": {5, 30, 60, 120},
        "encoder": {"eager", "sdpa"},
        "logits": {"all", "last"},
        "tokens": {4, 64},
    }
    assert all(set(one["allocated"]) == {"encode", "prefill", "decode"} for one in combinations)


@pytest.mark.full_size
def test_each_phase_with_workspace_is_within_5_percent_of_the_profiler(proof: Any) -> None:
    assert {name: off for name, off in differences(proof, "allocated").items() if abs(off) > 0.05} == {}


@pytest.mark.full_size
def test_the_tensors_of_each_phase_are_within_1_percent_of_the_dispatcher(proof: Any) -> None:
    assert {name: off for name, off in differences(proof, "tensors").items() if abs(off) > 0.01} == {}


@pytest.mark.full_size
def test_workspace_is_a_term_that_matters(proof: Any) -> None:
    """Without it the prediction of the encoder would be off by more than the tolerance."""
    for one in proof["combinations"]:
        encode = one["allocated"]["encode"]
        assert one["workspace"]["encode"] > 0.05 * encode["seen"]


@pytest.mark.full_size
def test_the_resident_set_is_within_5_percent(proof: Any) -> None:
    assert len(proof["resident"]) >= 2
    for one in proof["resident"]:
        assert one["predicted"] == pytest.approx(one["seen"], rel=0.05)
        assert one["before"] < 0.1 * one["seen"]
