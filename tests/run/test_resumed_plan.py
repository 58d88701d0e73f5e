"""The plan of a resumed run is the plan of the run that was cut short."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.errors import UsageError
from bench.records.journal import Header, PlannedCell
from bench.records.schema import ModelInfo
from bench.records.words import Attention, Profile, Provenance, WeightMode
from bench.run.plan import Plan, Wishes, make_plan, refuse_to_choose, resumed
from tests import sample_records as sample

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
        Wishes(),
        Wishes(suite="smoke", clip_seconds=(5.0, 2.5), max_tokens=(9,), repeats=7),
        Wishes(suite="standard", weights="random", attention=(Attention.EAGER,), profile=Profile.LEAN),
        Wishes(suite="standard", weights="random", model="MOSS-Audio-8B-Thinking"),
        Wishes(suite="quick", model="me/mine", revision="v1"),
        Wishes(suite="quick", model="tiny"),
    ],
)
def test_nothing_has_to_be_said_twice(wishes: Wishes) -> None:
    before = make_plan(replace(wishes, device="cpu"), refuse_to_choose)
    after = make_plan(resumed(Wishes(), _header(before), RECORD), refuse_to_choose)
    assert after.cells == before.cells
    assert after.suite_info == before.suite_info
    assert after.device.slug == before.device.slug
    revision = "c0ffee" if before.origin.weight_mode is WeightMode.HUB else None
    assert after.origin == replace(before.origin, revision=revision)


def test_a_directory_of_ones_own_has_to_be_named_again(tmp_path: Path) -> None:
    model = tmp_path / "my-model"
    model.mkdir()
    wishes = Wishes(suite="smoke", device="cpu", model=str(model))
    before = make_plan(wishes, refuse_to_choose)
    with pytest.raises(UsageError, match=r"Give --model DIR again") as caught:
        resumed(Wishes(), _header(before), RECORD)
    assert str(model) not in str(caught.value)
    again = make_plan(resumed(Wishes(model=str(model)), _header(before), RECORD), refuse_to_choose)
    assert again.cells == before.cells
