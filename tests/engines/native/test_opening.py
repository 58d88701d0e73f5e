"""What flash-attn ran: observed where the wheel registers its kernels with torch, else not known."""

from pathlib import Path

import torch

from bench.engines.native.opening import or_not_observable
from bench.measure.kernels import KernelObserver
from bench.records.cell import SubmoduleKernels
from bench.records.enums import Phase
from tests.engines.native.conftest import WORKS, install

NOTHING_SEEN = SubmoduleKernels(attention="none", operators=())


def test_a_wheel_that_bypasses_torch_is_not_taken_for_no_attention(site: Path) -> None:
    install(site, "2.6.3", WORKS)
    assert or_not_observable(NOTHING_SEEN).attention == "not observable (flash-attn 2.6.3)"


def test_what_was_seen_stays_as_it_was_seen(site: Path) -> None:
    """Also where it is not what was asked for."""
    install(site, "2.6.3", WORKS)
    fallback = SubmoduleKernels(attention="eager", operators=("aten::_softmax",))
    assert or_not_observable(fallback) == fallback


def test_kernels_that_a_newer_wheel_registers_with_torch_are_seen() -> None:
    """As flash-attn has done it from 2.7 on; and there "none" means none."""
    library = torch.library.Library("flash_attn", "FRAGMENT")  # type: ignore[no-untyped-call]
    library.define("_flash_attn_forward(Tensor q) -> Tensor")  # type: ignore[no-untyped-call]
    library.impl("_flash_attn_forward", lambda q: q.clone(), "CPU")  # type: ignore[no-untyped-call]
    kernels = KernelObserver()
    with kernels:
        kernels.begin(Phase.PREFILL)
        torch.ops.flash_attn._flash_attn_forward(torch.zeros(4))
        kernels.end()
    seen = kernels.language_model()
    assert (seen.attention, seen.operators) == ("flash_attention_2", ("flash_attn::_flash_attn_forward",))
    assert or_not_observable(NOTHING_SEEN) == NOTHING_SEEN
    library._destroy()  # type: ignore[no-untyped-call]
