from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from bench.measure.kernels import KernelObserver
from bench.measure.observer import CombinedObserver
from bench.records.cell import SubmoduleKernels
from bench.records.enums import Phase

Attend = Callable[[torch.Tensor], torch.Tensor]


def sdpa(states: torch.Tensor) -> torch.Tensor:
    return F.scaled_dot_product_attention(states, states, states, is_causal=True)


def sdpa_with_mask(states: torch.Tensor) -> torch.Tensor:
    length = states.shape[-2]
    mask = torch.zeros(1, 1, length, length, dtype=states.dtype)
    return F.scaled_dot_product_attention(states, states, states, attn_mask=mask)


def math_path(states: torch.Tensor) -> torch.Tensor:
    with sdpa_kernel(SDPBackend.MATH):
        return sdpa(states)


def eager(states: torch.Tensor) -> torch.Tensor:
    return (
        torch.softmax(states @ states.transpose(-1, -2), dim=-1, dtype=torch.float32).to(states.dtype)
        @ states
    )


def sample(vocabulary: int = 151_936) -> torch.Tensor:
    return torch.multinomial(F.softmax(torch.zeros(1, vocabulary), dim=-1), num_samples=1)


def observe(encoder: Attend, model: Attend, dtype: torch.dtype = torch.float32) -> KernelObserver:
    """One pass as an engine announces it, with an attention in each submodule and a sampled token each."""
    states = torch.randn(1, 4, 16, 8, dtype=dtype)
    kernels = KernelObserver()
    observer = CombinedObserver(kernels)
    with kernels, torch.no_grad():
        observer.begin(Phase.PREPROCESS)
        F.softmax(torch.randn(1, 4, 4), dim=-1)  # nobody's attention
        observer.begin(Phase.ENCODE)
        encoder(states)
        observer.begin(Phase.PREFILL)
        model(states)
        sample()
        observer.token()
        observer.begin(Phase.DECODE)
        model(states)
        sample()
        observer.token()
        observer.end()
        eager(states)  # after the end: nobody's
    return kernels


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    ("attend", "name", "kernel"),
    [
        (sdpa, "sdpa", "flash"),
        (sdpa_with_mask, "sdpa", "flash"),
        (math_path, "sdpa (unfused)", "math"),
        (eager, "eager", "eager"),
    ],
)
def test_the_kernel_that_ran_is_named_in_each_submodule(
    attend: Attend, name: str, kernel: str, dtype: torch.dtype
) -> None:
    other = sdpa if attend is eager else eager
    first, second = observe(attend, other, dtype).encoder(), observe(other, attend, dtype).language_model()
    assert (first.attention, first.kernel) == (second.attention, second.kernel) == (name, kernel)


def test_submodules_are_told_apart() -> None:
    kernels = observe(eager, sdpa)
    assert kernels.encoder() == SubmoduleKernels(
        attention="eager", operators=("aten::_softmax",), kernel="eager"
    )
    assert kernels.language_model().attention == "sdpa"
    assert all(name.startswith("aten::_scaled_dot_product") for name in kernels.language_model().operators)


def test_sampling_is_no_attention() -> None:
    kernels = observe(sdpa, lambda states: states)
    assert kernels.language_model() == SubmoduleKernels(attention="none", operators=())


def test_two_kinds_in_one_submodule_are_both_named() -> None:
    """A silent fallback in some layers must show."""

    def mixed(states: torch.Tensor) -> torch.Tensor:
        return sdpa(eager(states))

    assert observe(sdpa, mixed).language_model().attention == "eager + sdpa"


def test_a_kernel_used_only_while_decoding_shows() -> None:
    states = torch.randn(1, 4, 16, 8)
    kernels = KernelObserver()
    with kernels, torch.no_grad():
        kernels.begin(Phase.PREFILL)
        sdpa(states)
        kernels.token()
        kernels.begin(Phase.DECODE)
        eager(states)
    assert kernels.language_model().attention == "eager + sdpa"


def test_watching_changes_no_result() -> None:
    states = torch.randn(1, 4, 16, 8)
    kernels = KernelObserver()
    with kernels:
        kernels.begin(Phase.ENCODE)
        watched = sdpa(states)
    assert torch.equal(watched, sdpa(states))
