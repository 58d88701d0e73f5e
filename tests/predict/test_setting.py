"""What of a cell and its device decides a trace."""

import pytest

from bench.predict.planner import plan_request
from bench.predict.setting import mel_frames, setting_of
from bench.predict.target import targets
from bench.records.enums import Attention, Profile
from bench.records.prediction import PlannedSystem
from bench.run.run_spec import RunOptions


@pytest.mark.parametrize(("clip_s", "frames"), [(1, 100), (10, 1000), (0.2, 20), (2853, 285_300)])
def test_a_second_has_a_hundred_frames(clip_s: float, frames: int) -> None:
    assert mel_frames(clip_s) == frames


def test_cards_and_attentions_with_one_kernel_share_a_setting_and_systems_need_not() -> None:
    (sdpa, flash) = (
        plan_request(RunOptions(clip_seconds=(4.0,), max_tokens=(8,), attention=(attention,))).cells[0]
        for attention in (Attention.SDPA, Attention.FLASH_ATTENTION_2)
    )
    linux, windows = (PlannedSystem(os=os, torch="2.13") for os in ("linux", "windows"))
    some, other = targets(("rtx-4070", "rtx-5090"), linux)
    (there,) = targets(("rtx-4070",), windows)
    shared = setting_of(sdpa.requested, some)
    assert shared == setting_of(sdpa.requested, other) == setting_of(flash.requested, there)
    assert setting_of(sdpa.requested, there).kernel == "math"
    lean = sdpa.requested.model_copy(update={"profile": Profile.LEAN})
    assert setting_of(lean, some).logits_positions == "last"
