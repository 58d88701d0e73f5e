"""FlashAttention 2 tried on the device, with real packages of that name that have the faults wheels have."""

from pathlib import Path

import torch

from bench.engines.native.flash_attention import flash_attention_problem
from bench.records.reasons import FlashAttentionBroken
from tests.engines.native.conftest import WORKS, install

CPU = torch.device("cpu")


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


def test_whatever_its_import_raises_concerns_it_alone(site: Path) -> None:
    """A wheel for another torch: an attribute that this one lacks."""
    install(site, "2.8.3", "import torch\ntorch.library.no_such_name")
    assert flash_attention_problem(CPU) == FlashAttentionBroken(
        version="2.8.3", failed_at="import", error="module 'torch.library' has no attribute 'no_such_name'"
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
