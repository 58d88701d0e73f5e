"""The attention kernels that ran in each submodule, read from the dispatcher during one pass."""

from collections.abc import Callable
from typing import Any, Final

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from bench.records.enums import AttentionKernel, Phase
from bench.records.record import SubmoduleKernels

# torch's fused kernels; scaled_dot_product_attention itself is composite and never reaches a dispatch mode.
_FUSED: Final = (
    "aten::_scaled_dot_product",
    "aten::_flash_attention_forward",
    "aten::_efficient_attention_forward",
    "aten::_cudnn_attention_forward",
)
_FUSED_KERNELS: Final[dict[str, AttentionKernel]] = {
    "_flash_attention": "flash",
    "_efficient_attention": "memory_efficient",
    "_cudnn_attention": "cudnn",
}
_FLASH_ATTN_PACKAGE: Final = ("flash_attn::", "flash_attn_2_cuda::")
# The unfused path of scaled_dot_product_attention is the only caller of _safe_softmax.
_UNFUSED_SDPA: Final = "aten::_safe_softmax"
_SOFTMAX: Final = "aten::_softmax"


class KernelObserver(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """An observer of one pass, a context: `encode` is the encoder, the later phases the language model."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._encoder: set[str] = set()
        self._language_model: set[str] = set()
        self._current: set[str] | None = None

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: tuple[type, ...],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run one operator and note it when it is attention."""
        if self._current is not None:
            name = str(getattr(func, "_schema").name)  # noqa: B009 - OpOverload has no public stub for it
            if _is_attention(name, args):
                self._current.add(name)
        return func(*args, **(kwargs or {}))

    def begin(self, phase: Phase) -> None:
        """Operators from here on belong to the submodule of this phase."""
        by_phase = {Phase.ENCODE: self._encoder, Phase.PREFILL: self._language_model}
        if phase is not Phase.DECODE:
            self._current = by_phase.get(phase)

    def token(self) -> None:
        """Tokens change nothing here."""

    def end(self) -> None:
        """The pass is over."""
        self._current = None

    def encoder(self) -> SubmoduleKernels:
        """Attention kernels of the audio encoder."""
        return _kernels(self._encoder)

    def language_model(self) -> SubmoduleKernels:
        """Attention kernels of the language model, in prefill and decode."""
        return _kernels(self._language_model)


def _is_attention(name: str, args: tuple[Any, ...]) -> bool:
    if name.startswith(_FUSED) or name.startswith(_FLASH_ATTN_PACKAGE) or name == _UNFUSED_SDPA:
        return True
    # Sampling takes a softmax too, over [batch, vocabulary]; attention's has heads and positions.
    return name == _SOFTMAX and isinstance(args[0], torch.Tensor) and args[0].dim() >= 3


def _kernels(names: set[str]) -> SubmoduleKernels:
    return SubmoduleKernels(
        attention=" + ".join(sorted({_kind(name) for name in names})) or "none",
        operators=tuple(sorted(names)),
        kernel=_only({_kernel(name) for name in names}),
    )


def _only(kernels: set[AttentionKernel | None]) -> AttentionKernel | None:
    return kernels.pop() if len(kernels) == 1 else None


def _kernel(name: str) -> AttentionKernel | None:
    if name.startswith(_FLASH_ATTN_PACKAGE):
        return "flash"
    if name == _SOFTMAX:
        return "eager"
    if name == _UNFUSED_SDPA:
        return "math"
    return next((kernel for part, kernel in _FUSED_KERNELS.items() if part in name), None)


def _kind(name: str) -> str:
    if name.startswith(_FLASH_ATTN_PACKAGE):
        return "flash_attention_2"
    if name == _SOFTMAX:
        return "eager"
    return "sdpa (unfused)" if name == _UNFUSED_SDPA else "sdpa"
