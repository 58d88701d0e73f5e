"""A mode that makes tensors of the meta device behave like those of a CPU in a trace."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from torch.overrides import TorchFunctionMode

META: Final = torch.device("meta")


@contextmanager
def like_cpu() -> Iterator[None]:
    """Run what a CPU runs, on tensors of the meta device.

    transformers 4.57 switches autocast off for the device of its tensors, and torch knows none for meta.
    """
    own = torch.autocast
    torch.autocast = _Autocast  # type: ignore[misc]
    try:
        with LikeCpu():
            yield
    finally:
        torch.autocast = own  # type: ignore[misc]


class _Autocast(torch.autocast):
    """Autocast of a CPU where that of the meta device is asked for."""

    def __init__(self, device_type: str, *args: Any, **kwargs: Any) -> None:
        super().__init__("cpu" if device_type == META.type else device_type, *args, **kwargs)


class LikeCpu(TorchFunctionMode):
    """Tensors without a device are made on meta; SDPA is the CPU's fused operator, unless math is asked for.

    On the meta device SDPA is always math, and `torch.tensor` makes a tensor that no dispatch mode sees.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: tuple[type, ...],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call a function of torch."""
        given = kwargs or {}
        if func is F.scaled_dot_product_attention and _may_be_fused():
            return _fused(*args, **given)
        if func is torch.tensor:
            return torch.empty_like(func(*args, **{**given, "device": META}))
        return func(*args, **given)


def _may_be_fused() -> bool:
    return bool(torch.backends.cuda.flash_sdp_enabled())  # type: ignore[no-untyped-call]


def _fused(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,  # noqa: ARG001 - the operator sees it from the shapes
) -> Tensor:
    """Call the CPU's fused operator with the arguments of `scaled_dot_product_attention`."""
    results = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        query, key, value, dropout_p, is_causal, attn_mask=attn_mask, scale=scale
    )
    mixed: Tensor = results[0]
    return mixed
