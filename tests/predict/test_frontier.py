"""The longest clips of a plan agree with predictions of these clips alone."""

from pathlib import Path

import pytest

from bench.hardware.budget import BudgetKind
from bench.hardware.card_costs import catalog_costs
from bench.hardware.catalog import Card
from bench.judge.prediction import budgets_of, cell_fit
from bench.predict.planner import Planner, plan_request
from bench.predict.target import Target, targets
from bench.records.enums import Fit
from bench.records.prediction import PlannedSystem
from bench.run.run_spec import RunOptions
from bench.units import MIB
from tests.predict.planned import LINUX, SMALL, derived_records

pytestmark = pytest.mark.full_size  # it traces models


def test_every_length_of_the_frontier_keeps_its_word(model: Path) -> None:
    """A card whose memory ends within the sweep: each clip that is named is judged as the frontier says."""
    planned = plan_request(RunOptions(**{**SMALL, "model": str(model)}))  # type: ignore[arg-type]
    planner = Planner(planned)
    (known,) = targets(["rtx-4070"], LINUX)
    envelope = planner.record(known).cells[-1].envelope
    assert envelope is not None
    assert envelope.device_peak_bytes is not None
    target = _card_of(known, round(envelope.device_peak_bytes.high) + 614 * MIB + 64 * MIB)
    record = planner.record(target)
    assert record.derivation is not None
    line = record.derivation.longest_clips[0]
    assert line.headless_fits_s is not None
    assert line.headless_fits_s > 60
    assert line.desktop_fits_s is None
    for length, expected in ((line.headless_fits_s, Fit.FITS), (line.headless_misfit_s, Fit.DOES_NOT_FIT)):
        if length is not None:
            options = RunOptions(**{**SMALL, "model": str(model), "clip_seconds": (length,)})  # type: ignore[arg-type]
            alone = Planner(plan_request(options)).record(target)
            assert cell_fit(alone.cells[0], budgets_of(alone)).headless is expected


def _card_of(like: Target, memory_total_bytes: int) -> Target:
    assert like.card is not None
    card = Card("small", "Small", like.card.compute_capability, memory_total_bytes)
    info = like.info.model_copy(update={"memory_total_bytes": memory_total_bytes})
    return Target(info, card, LINUX, catalog_costs(memory_total_bytes, "linux"))


@pytest.mark.parametrize("headroom", ["headless", "desktop"])
def test_only_the_requested_budget_is_searched(model: Path, headroom: BudgetKind) -> None:
    (record,) = derived_records(model, "rtx-4070", headroom=headroom)
    assert record.derivation is not None
    (line, *_) = record.derivation.longest_clips
    asked = {"headless": line.headless_fits_s, "desktop": line.desktop_fits_s}
    assert [kind for kind, length in asked.items() if length is not None] == [headroom]


def test_windows_has_no_line_without_a_desktop(model: Path) -> None:
    windows = PlannedSystem(os="windows", torch="2.14")
    (record,) = derived_records(model, "rtx-4070", system=windows)
    assert record.derivation is not None
    assert (record.derivation.system, record.derivation.headroom) == (windows, "desktop")
    (line, *_) = record.derivation.longest_clips
    assert (line.headless_fits_s, line.headless_misfit_s) == (None, None)
    assert line.desktop_fits_s is not None


def test_one_clip_length_asks_for_no_frontier(model: Path) -> None:
    (record,) = derived_records(model, "rtx-4070", clip_seconds=(4.0,))
    assert record.derivation is not None
    assert record.derivation.longest_clips == ()
