"""The plan of a resumed run is the plan of the run that was cut short."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.errors import UsageError
from bench.records.enums import Attention, Profile, Provenance, WeightMode
from bench.records.record import ModelInfo
from bench.run.resumed_plan import resumed
from bench.run.run_spec import Plan, RunOptions, make_plan, refuse_to_choose
from bench.store.journal import Header, PlannedCell
from tests.fake_driver.driver import environment_of
from tests.run.processes import environment
from tests.samples import records as sample

RECORD = Path("20260607T201500Z-quick-1f2e3d4c5b6a.json")


def _header(plan: Plan) -> Header:
    """As the run wrote it; a branch on the Hub has become a commit by then."""
    return Header(
        record_id="1f2e3d4c5b6a",
        created_at=datetime(2026, 6, 7, 20, 15, tzinfo=UTC),
        provenance=Provenance.MEASURED,
        suite=plan.suite_info,
        model=ModelInfo(
            name=plan.origin.name,
            repo=plan.origin.repo,
            revision="c0ffee" if plan.origin.weight_mode is WeightMode.HUB else None,
            weight_mode=plan.origin.weight_mode,
            config_sha256="0" * 64,
            parameters=1,
            weights_bytes=2,
        ),
        device=plan.device.info(),
        environment=sample.environment(),
        machine_key=None,
        plan=tuple(PlannedCell(cell_id=cell.cell_id, requested=cell.requested) for cell in plan.cells),
    )


@pytest.mark.parametrize(
    "wishes",
    [
        RunOptions(),
        RunOptions(suite="smoke", clip_seconds=(5.0, 2.5), max_tokens=(9,), repeats=7),
        RunOptions(suite="standard", weights="random", attention=(Attention.EAGER,), profile=Profile.LEAN),
        RunOptions(suite="standard", weights="random", model="MOSS-Audio-8B-Thinking"),
        RunOptions(suite="quick", model="me/mine", revision="v1"),
        RunOptions(suite="quick", model="tiny"),
    ],
)
def test_nothing_has_to_be_said_twice(wishes: RunOptions) -> None:
    before = make_plan(replace(wishes, device="cpu"), refuse_to_choose)
    after = make_plan(resumed(RunOptions(), _header(before), RECORD), refuse_to_choose)
    assert after.cells == before.cells
    assert after.suite_info == before.suite_info
    assert after.device.slug == before.device.slug
    revision = "c0ffee" if before.origin.weight_mode is WeightMode.HUB else None
    assert after.origin == replace(before.origin, revision=revision)


def test_a_directory_of_ones_own_has_to_be_named_again(tmp_path: Path) -> None:
    model = tmp_path / "my-model"
    model.mkdir()
    wishes = RunOptions(suite="smoke", device="cpu", model=str(model))
    before = make_plan(wishes, refuse_to_choose)
    with pytest.raises(UsageError, match=r"Give --model DIR again") as caught:
        resumed(RunOptions(), _header(before), RECORD)
    assert str(model) not in str(caught.value)
    again = make_plan(resumed(RunOptions(model=str(model)), _header(before), RECORD), refuse_to_choose)
    assert again.cells == before.cells


def test_of_two_equal_cards_the_one_that_began_goes_on(home: Path, fake_nvml: Path, tmp_path: Path) -> None:
    """A resumed run must not land on the other card because that one is freer now."""
    script = """
import sys
from dataclasses import replace
from pathlib import Path
from bench.hardware.machine_key import machine_key
from bench.run.resumed_plan import resumed
from bench.run.run_spec import RunOptions, make_plan, refuse_to_choose
from tests.run.test_resumed_plan import _header
for uuid in ("GPU-aaaaaaaa-0000-0000-0000-000000000001", "GPU-aaaaaaaa-0000-0000-0000-000000000002"):
    before = make_plan(RunOptions(device=uuid, weights="random"), refuse_to_choose)
    header = _header(before).model_copy(update={"machine_key": machine_key(uuid)})
    print(make_plan(resumed(RunOptions(), header, Path("r.json")), refuse_to_choose).device.uuid[-1])
"""
    card = "\nname NVIDIA GeForce RTX 4070\nmemory.total 12282MiB\ncapability 8.9\n"
    scenario = tmp_path / "twins.txt"
    first, second = (f"[gpu]{card}uuid GPU-aaaaaaaa-0000-0000-0000-00000000000{n}\n" for n in (1, 2))
    scenario.write_text("driver 580.95.05\ncuda 13000\n" + first + second)
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        env=environment(home) | environment_of(scenario, fake_nvml),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout.split() == ["1", "2"], ended.stderr


def test_a_suite_that_cannot_be_read_is_an_error_in_one_line() -> None:
    whole = _header(make_plan(RunOptions(suite="smoke", device="cpu"), refuse_to_choose))
    header = whole.model_copy(update={"suite": whole.suite.model_copy(update={"definition": {}})})
    with pytest.raises(UsageError, match="definition of its suite"):
        resumed(RunOptions(), header, RECORD)
