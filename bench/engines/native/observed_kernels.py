"""The attention kernels of one pass, and whether those of FlashAttention 2 can be observed at all."""

import torch

from bench.hardware.environment import version_of
from bench.measure.kernels import KernelObserver
from bench.records.enums import Attention
from bench.records.record import SubmoduleKernels


def or_not_observable(kernels: SubmoduleKernels) -> SubmoduleKernels:
    """What was observed while FlashAttention 2 was asked for; "none" only where it would have shown.

    flash-attn registers its kernels with torch from 2.7 on; older ones are called past the dispatcher, and
    nothing that watches it sees what ran.
    """
    if kernels.operators or hasattr(torch.ops.flash_attn, "_flash_attn_forward"):
        return kernels
    version = version_of("flash-attn")
    return SubmoduleKernels(attention=f"not observable (flash-attn {version})", operators=())


class AskedKernels(KernelObserver):  # type: ignore[no-untyped-call]
    """Observes the kernels of one pass for which this attention was asked."""

    def __init__(self, asked: Attention) -> None:
        super().__init__()
        self._asked = asked

    def language_model(self) -> SubmoduleKernels:
        """The kernels of the language model, as far as they can be observed."""
        seen = super().language_model()
        return or_not_observable(seen) if self._asked is Attention.FLASH_ATTENTION_2 else seen
