"""Kernels, BF16, FlashAttention 2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.doctor.checks import compute
from bench.doctor.facts import TorchBuild, Trial
from bench.doctor.interface import Check
from tests.samples.machines import TRIAL, card, facts

OLD_WHEEL = ("sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90")


def kernels(capability: str | None, built: tuple[str, ...], error: str | None = None) -> Check:
    here = card(compute_capability=capability, trial=Trial(built, error))
    check = compute.kernels(here, facts(here, torch=TorchBuild("2.6.0+cu124", "12.4")))
    assert check is not None
    return check


def test_an_old_wheel_on_a_blackwell_card() -> None:
    check = kernels("12.0", OLD_WHEEL, "RuntimeError: CUDA error: no kernel image is available")
    assert check.status == "problem"
    assert "has none for sm_120" in check.summary
    assert "sm_90" in check.summary
    assert check.command == "make bench TORCH=cu130"


@pytest.mark.parametrize(
    ("built", "capability", "expected"),
    [
        (("sm_86",), (8, 9), True),
        (("sm_89",), (8, 6), False),
        (("sm_80",), (9, 0), False),
        (("compute_80",), (12, 0), True),
        (("compute_90a",), (12, 0), False),
        (("sm_90a",), (9, 0), True),
        (("sm_120",), (12, 1), True),
        (("sm_100f",), (12, 0), False),
        (("gfx1100", ""), (8, 9), False),
    ],
)
def test_which_code_runs_on_which_card(
    built: tuple[str, ...], capability: tuple[int, int], expected: bool
) -> None:
    assert compute.has_kernels(built, capability) is expected


@given(st.tuples(st.integers(5, 13), st.integers(0, 9)))
def test_code_for_the_card_itself_always_runs(capability: tuple[int, int]) -> None:
    major, minor = capability
    assert compute.has_kernels((f"sm_{major}{minor}",), capability)
    assert compute.has_kernels((f"compute_{major}{minor}",), capability)


@pytest.mark.parametrize(
    "error",
    [
        "RuntimeError: CUDA unknown error - this may be due to an incorrectly set up environment",
        "RuntimeError: No CUDA GPUs are available",
        "RuntimeError: CUDA driver initialization failed, you might not have a CUDA gpu.",
        "RuntimeError: Unexpected error from cudaGetDeviceCount(). Error 802: system not yet initialized",
    ],
)
def test_a_cuda_that_does_not_start_has_its_own_remedy(error: str) -> None:
    """As after suspend and resume: no program is in the way, and no other torch helps."""
    here = card(trial=Trial(("sm_89",), error))
    check = compute.kernels(here, facts(here))
    assert check is not None
    assert check.status == "problem"
    assert check.summary.startswith(
        "CUDA does not start, although the driver (CUDA 13.0) and torch (CUDA 13.0)"
    )
    assert "modprobe nvidia_uvm" in (check.fix or "")


def test_what_torch_said_on_the_card_is_shown() -> None:
    check = kernels("8.9", OLD_WHEEL, "torch.AcceleratorError: CUDA error: out of memory")
    assert check.status == "problem"
    assert "CUDA error: out of memory" in check.summary


def test_a_torch_that_cannot_be_imported_is_to_be_installed_again() -> None:
    check = kernels("8.9", (), "ImportError: libcudart.so.13")
    assert check.command == "make bench TORCH=cu130"


def test_a_driver_that_is_too_old_is_blamed_once() -> None:
    here = card(driver_cuda="12.2", trial=Trial(("sm_80",), "RuntimeError: The NVIDIA driver is too old"))
    assert compute.kernels(here, facts(here)) is None


def test_an_unknown_capability_is_left_to_the_trial() -> None:
    assert kernels(None, OLD_WHEEL).status == "ok"


def test_nothing_is_said_where_nothing_was_tried() -> None:
    assert compute.kernels(card(trial=None), facts(card(trial=None))) is None


@pytest.mark.parametrize(
    ("capability", "status"),
    [("7.5", "problem"), ("7.0", "problem"), ("8.0", "ok"), ("8.9", "ok"), ("12.0", "ok"), (None, "note")],
)
def test_bf16_begins_with_ampere(capability: str | None, status: str) -> None:
    check = compute.bf16(card(compute_capability=capability))
    assert check.status == status
    assert check.mendable == (status != "problem")


def test_no_other_torch_is_recommended_for_a_card_without_bf16() -> None:
    turing = card(compute_capability="7.5", trial=Trial(("sm_80",)))
    assert compute.kernels(turing, facts(turing)) is None


def flash(version: str | None, trial: Trial | None = TRIAL, capability: str = "8.9") -> Check:
    here = card(trial=trial, compute_capability=capability)
    return compute.flash_attention(here, facts(here, flash_attn=version))


def test_flash_attention_is_not_needed() -> None:
    check = flash(None)
    assert check.status == "note"
    assert "not needed" in check.summary
    assert "avoid the math kernel" in flash(None, Trial(("sm_80",), sdpa_kernel="math")).summary


def test_flash_attention_is_believed_only_once_it_ran() -> None:
    assert flash("2.8.3").status == "ok"
    assert flash("2.8.3", None).status == "note"
    assert flash("2.8.3", Trial((), "ImportError: libcudart.so.13")).status == "note"


def test_flash_attention_that_fails_says_why() -> None:
    why = "flash-attn 2.8.3 cannot be imported: undefined symbol: _ZN3c10"
    check = flash("2.8.3", Trial(("sm_80",), flash_attn_error=why))
    assert (check.status, check.summary) == ("warning", why)
    assert check.command == "pip uninstall flash-attn"


def test_flash_attention_needs_ampere() -> None:
    check = flash("2.8.3", capability="7.5")
    assert check.status == "note"
    assert "8.0" in check.summary
