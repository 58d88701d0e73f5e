"""What cannot run here, known before anything is loaded. Pure: the facts are arguments."""

from dataclasses import dataclass

from bench.records.words import Attention

_AMPERE = 8.0


@dataclass(frozen=True)
class Surroundings:
    """The facts that decide. `flash_attn` is the installed version; None if it is not installed."""

    device_kind: str
    compute_capability: str | None
    flash_attn: str | None


def unsupported(attention: Attention, here: Surroundings) -> str | None:
    """Why this attention cannot run here; None if nothing speaks against it.

    FlashAttention 2 needs CUDA and compute capability 8.0 (its README: Ampere, Ada or Hopper). It is never
    replaced by something else, neither by SDPA nor by a kernel from the Hub.
    """
    if attention is not Attention.FLASH_ATTENTION_2:
        return None
    if here.device_kind != "cuda":
        return "FlashAttention 2 needs an NVIDIA GPU; this is a CPU"
    if here.compute_capability is not None and float(here.compute_capability) < _AMPERE:
        return f"FlashAttention 2 needs compute capability 8.0; this card has {here.compute_capability}"
    if here.flash_attn is None:
        return "the package flash-attn is not installed"
    return None
