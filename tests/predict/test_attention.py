"""The attention that a cell is predicted with."""

import pytest

from bench.predict.attention import LanguageAttention, attention_of
from bench.predict.planned_system import planned_system
from bench.predict.target import targets
from bench.records.enums import Attention, OperatingSystem, Profile
from tests.samples import records as sample

FLASH = LanguageAttention("flash", True)
MATH = LanguageAttention("math", True)
EFFICIENT = LanguageAttention("memory_efficient", True)
UNGROUPED = LanguageAttention("memory_efficient", False)


@pytest.mark.parametrize(
    ("os", "torch", "faithful", "lean"),
    [
        ("linux", "2.13", FLASH, FLASH),
        ("wsl2", "2.13", FLASH, FLASH),
        ("windows", "2.13", MATH, UNGROUPED),
        ("windows", "2.14", EFFICIENT, EFFICIENT),
    ],
)
def test_sdpa_depends_on_system_release_and_profile(
    os: OperatingSystem, torch: str, faithful: LanguageAttention, lean: LanguageAttention
) -> None:
    (target,) = targets(["rtx-4070"], planned_system(os, torch))
    sdpa = sample.requested()
    found = [attention_of(sdpa.model_copy(update={"profile": profile}), target) for profile in Profile]
    assert dict(zip(Profile, found, strict=True)) == {Profile.FAITHFUL: faithful, Profile.LEAN: lean}


@pytest.mark.parametrize("profile", Profile)
def test_other_attentions_are_the_same_everywhere(profile: Profile) -> None:
    (windows,) = targets(["rtx-4070"], planned_system("windows", "2.13"))
    for attention, kernel in ((Attention.EAGER, "eager"), (Attention.FLASH_ATTENTION_2, "flash")):
        asked = sample.requested(attention=attention).model_copy(update={"profile": profile})
        assert attention_of(asked, windows) == (kernel, True)


@pytest.mark.parametrize("profile", Profile)
def test_a_cpu_has_one_fused_kernel(profile: Profile) -> None:
    (cpu,) = targets(["cpu"], planned_system("windows", "2.13"))
    assert attention_of(sample.requested().model_copy(update={"profile": profile}), cpu) == FLASH
