"""FlashAttention 2 tried on the device, with real packages of that name that have the faults wheels have."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from bench.engines.native.flash_attention import flash_attention_problem, or_not_observable
from bench.measure.kernels import KernelObserver
from bench.records.enums import Phase
from bench.records.reasons import FlashAttentionBroken
from bench.records.record import SubmoduleKernels

CPU = torch.device("cpu")
WORKS = "def flash_attn_func(q, k, v, causal):\n    return q\n"


def install(folder: Path, version: str, code: str) -> None:
    """A package as pip would leave it."""
    (folder / "flash_attn").mkdir()
    (folder / "flash_attn" / "__init__.py").write_text(code, encoding="utf-8")
    information = folder / f"flash_attn-{version}.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: flash-attn\nVersion: {version}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("flash_attn", None)


def test_one_that_works_is_no_problem(site: Path) -> None:
    install(site, "2.8.3", WORKS)
    assert flash_attention_problem(CPU) is None


def test_one_built_for_another_torch_is_told_with_its_reason(site: Path) -> None:
    install(site, "2.7.4", "raise ImportError('flash_attn_2_cuda.so: undefined symbol: _ZN3c105ErrorC2E')")
    assert flash_attention_problem(CPU) == FlashAttentionBroken(
        version="2.7.4",
        failed_at="import",
        error="flash_attn_2_cuda.so: undefined symbol: _ZN3c105ErrorC2E",
    )


def test_its_error_names_nobody(site: Path) -> None:
    install(site, "2.7.4", "raise ImportError('/home/someone/lib/flash_attn_2_cuda.so: undefined symbol')")
    problem = flash_attention_problem(CPU)
    assert problem is not None
    assert "someone" not in problem.error


def test_one_without_kernels_for_the_card_is_told(site: Path) -> None:
    install(
        site,
        "2.6.3",
        "def flash_attn_func(q, k, v, causal):\n"
        "    raise RuntimeError('CUDA error: no kernel image is available for execution on the device\\n')",
    )
    assert flash_attention_problem(CPU) == FlashAttentionBroken(
        version="2.6.3",
        failed_at="run",
        error="CUDA error: no kernel image is available for execution on the device",
    )


def test_a_full_card_is_no_fault_of_the_package(site: Path) -> None:
    install(
        site,
        "2.8.3",
        "import torch\n"
        "def flash_attn_func(q, k, v, causal):\n"
        "    raise torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 MiB.')\n",
    )
    assert flash_attention_problem(CPU) is None


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
