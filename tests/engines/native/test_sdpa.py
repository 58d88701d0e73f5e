"""The kernel that torch says it will choose is the one that runs."""

import pytest
import torch
import torch.nn.functional as F

from bench.engines.native.sdpa import has_flash_kernels, sdpa_kernel
from bench.measure.kernels import KernelObserver
from bench.records.enums import Phase


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_on_a_cpu_it_is_the_fused_one_that_the_dispatcher_runs(dtype: str) -> None:
    assert sdpa_kernel("cpu", dtype) == "flash"
    states = torch.zeros(1, 8, 16, 128, dtype=getattr(torch, dtype))
    observer = KernelObserver()
    with observer:
        observer.begin(Phase.PREFILL)
        F.scaled_dot_product_attention(states, states, states, is_causal=True)
        observer.end()
    assert observer.language_model().operators == ("aten::_scaled_dot_product_flash_attention_for_cpu",)


def test_a_kernel_that_is_switched_off_is_not_promised() -> None:
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        assert sdpa_kernel("cpu", "float32") == "math"


def test_a_torch_that_does_not_say_is_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch, "_fused_sdp_choice")
    assert sdpa_kernel("cpu", "float32") is None


def test_a_device_that_torch_was_not_built_for_is_not_guessed() -> None:
    if torch.cuda.is_available():
        pytest.skip("this build of torch has a card")
    assert sdpa_kernel("cuda", "bfloat16") is None


def test_flash_kernels_are_those_of_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cuda, "is_flash_attention_available", lambda: False)
    assert has_flash_kernels() is False


def test_flash_kernels_of_a_torch_that_does_not_say_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.backends.cuda, "is_flash_attention_available")
    assert has_flash_kernels() is None
