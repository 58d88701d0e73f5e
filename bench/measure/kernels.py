"""The attention kernels that ran in each submodule, read from the dispatcher during one pass."""

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from bench.measure.attention_operators import SOFTMAX, is_attention, kernels_of
from bench.records.cell import SubmoduleKernels
from bench.records.enums import Phase


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
        return kernels_of(self._encoder)

    def language_model(self) -> SubmoduleKernels:
        """Attention kernels of the language model, in prefill and decode."""
        return kernels_of(self._language_model)


def _is_attention(name: str, args: tuple[Any, ...]) -> bool:
    # Sampling takes a softmax too, over [batch, vocabulary]; attention's has heads and positions.
    is_softmax = name == SOFTMAX and isinstance(args[0], torch.Tensor) and args[0].dim() >= 3
    return is_softmax or is_attention(name)
