"""The share of a card that the CUDA allocator is held to."""

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from bench.engines.native import cuda
from bench.engines.native.cuda import fraction_of, open_context, require_cuda
from bench.errors import ExitCode, FullCardError, MachineError
from bench.hardware import nvml
from bench.hardware.system import System
from bench.units import MIB


@given(st.integers(4 * 2**30, 300 * 2**30), st.floats(0.001, 0.999))
@example(25_393_692_672, (12_282 - 862) * MIB / 25_393_692_672)
def test_the_allocator_makes_the_very_limit_of_it(total: int, share: float) -> None:
    limit = int(total * share)
    fraction = fraction_of(limit, total)
    assert 0 < fraction < 1  # 1 would be no limit at all
    assert int(fraction * float(total)) == limit


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a torch that cannot use a card")
def test_a_card_that_cannot_be_used_is_told_in_one_line() -> None:
    with pytest.raises(MachineError):
        require_cuda("cuda")
    if torch.version.cuda is not None:
        with pytest.raises(MachineError, match="the card cannot be used"):
            open_context(None)


@pytest.mark.parametrize(
    ("speaks", "message", "hint"),
    [
        ("13.0", "CUDA does not start", "nvidia_uvm"),
        ("13.1", "CUDA does not start", "nvidia_uvm"),
        ("12.2", "cannot use this card's driver", "Update the NVIDIA driver"),
        (None, "cannot use this card's driver", "Update the NVIDIA driver"),
    ],
)
def test_a_cuda_that_does_not_start_is_no_old_driver(
    monkeypatch: pytest.MonkeyPatch, speaks: str | None, message: str, hint: str
) -> None:
    """As after suspend and resume, where `nvidia-smi` is fine, and no other driver or torch helps."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(nvml, "driver_cuda", lambda: speaks)
    monkeypatch.setattr(cuda, "this_system", System)
    with pytest.raises(MachineError) as raised:
        require_cuda("cuda")
    assert message in str(raised.value)
    assert hint in str(raised.value)
    assert ("bench doctor" in str(raised.value)) is (hint == "nvidia_uvm")


# torch of several versions: its allocator, the runtime and the driver, at the first use of a full card.
FULL = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB. GPU 0 has ..."),
    RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"),
    RuntimeError("CUDA driver error: out of memory"),
]


@pytest.mark.parametrize(
    ("error", "is_memory"),
    [
        *((error, True) for error in FULL),
        (RuntimeError("CUDA error: no kernel image is available"), False),
        (RuntimeError(), False),
    ],
)
def test_a_card_without_room_for_a_context_is_told_apart_from_a_broken_one(
    error: RuntimeError, is_memory: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(torch, "zeros", full)
    with pytest.raises(MachineError) as raised:
        open_context(None)
    assert isinstance(raised.value, FullCardError) is is_memory
    assert raised.value.exit_code == ExitCode.MACHINE
    assert ("the card is full" in str(raised.value) and "Close" in str(raised.value)) is is_memory
    assert "\n" not in str(raised.value)
