"""Attention kernels of the native engine against their operators, the device and the build of torch."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from bench.engines.native.sdpa_rules import takes_flash
from bench.measure.attention_operators import FLASH_ATTN_PACKAGE, kernel_of, kernels_of
from bench.records.cell import CellResult, Effective, SubmoduleKernels
from bench.records.enums import AttentionKernel
from bench.records.record import Record
from bench.validate.candidate import Candidate, Found

_NATIVE: Final = "native"
_OF_CPU: Final = "_for_cpu"
"""End of the names of operators that only a CPU runs."""
_CPU_BUILD: Final = "+cpu"
_ON_CARDS: Final = frozenset[AttentionKernel | None]({"flash", "memory_efficient", "cudnn"})
_HIDDEN: Final = "not observable"
"""How the attention begins of a flash-attn release whose kernels the dispatcher does not see."""


def attention_kernels(candidate: Candidate) -> Iterator[Found]:
    """Yield the contradictions of the attention kernels."""
    record = candidate.record
    native = [(path, cell) for path, cell in candidate.observed if cell.requested.engine == _NATIVE]
    yield from _build(record, [cell for _, cell in native])
    for path, cell in native:
        ran = cell.effective
        if ran is None:
            continue
        for part in ("language_model", "audio_encoder"):
            kernels: SubmoduleKernels | None = getattr(ran, part)
            for reason in () if kernels is None else _reasons(record, cell, ran, kernels):
                yield Found("kernels_contradicted", f"{path}.effective.{part}", {"reason": reason})


def _build(record: Record, cells: list[CellResult]) -> Iterator[Found]:
    """A build of torch for CPUs has no kernels for cards, and runs nothing on them."""
    environment = record.environment
    if environment.torch is None or not environment.torch.endswith(_CPU_BUILD):
        return
    if environment.has_flash_kernels:
        reason = "a torch for CPUs contains no kernels for cards"
        yield Found("kernels_contradicted", "environment.has_flash_kernels", {"reason": reason})
    if any(cell.effective is not None and cell.effective.device == "cuda" for cell in cells):
        reason = "cells ran on a card, and this torch is for CPUs"
        yield Found("kernels_contradicted", "environment.torch", {"reason": reason})


def _reasons(record: Record, cell: CellResult, ran: Effective, stated: SubmoduleKernels) -> Iterator[str]:
    operators, computed = stated.operators, _kernels(stated.operators)
    if stated.kernel not in {None, computed.kernel}:
        yield f"the operators are not those of {stated.kernel}"
    is_hidden = not operators and stated.attention.startswith(_HIDDEN)
    if stated.attention != computed.attention and not is_hidden:
        yield f"the operators are those of {computed.attention}"
    if ran.device == "cpu":
        if any(_is_of_cards(name) for name in operators):
            yield "operators of cards ran on a CPU"
        return
    if any(name.endswith(_OF_CPU) for name in operators):
        yield "operators of CPUs ran on a card"
        return
    if any(kernel_of(name) == "flash" and not name.startswith(FLASH_ATTN_PACKAGE) for name in operators):
        yield from _flash_of_torch(record, cell)


def _flash_of_torch(record: Record, cell: CellResult) -> Iterator[str]:
    """The flash kernels of torch, which are not those of the package flash-attn."""
    if record.environment.has_flash_kernels is False:
        yield "this torch contains no flash kernels"
    capability = _number(record.device.compute_capability)
    if capability is not None and not takes_flash(cell.requested.dtype, capability):
        yield "flash kernels need 16 bits and compute capability 8.0"


@lru_cache(maxsize=64)
def _kernels(operators: tuple[str, ...]) -> SubmoduleKernels:
    """Cells of one record share their operators."""
    return kernels_of(operators)


def _is_of_cards(name: str) -> bool:
    return kernel_of(name) in _ON_CARDS and not name.endswith(_OF_CPU)


def _number(capability: str | None) -> float | None:
    try:
        return None if capability is None else float(capability)
    except ValueError:
        return None
