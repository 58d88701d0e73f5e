"""The kernel that runs attention of the language model on a planned device, and how it is called."""

from functools import partial
from typing import NamedTuple

from bench.engines.native.profiles import settings_of
from bench.engines.native.sdpa_rules import chosen_kernel
from bench.predict.planned_system import torch_build
from bench.predict.target import Target
from bench.records.cell import Requested
from bench.records.enums import Attention, AttentionKernel


class LanguageAttention(NamedTuple):
    """`is_grouped`: the kernel gets fewer heads of keys than of queries, as the model has them."""

    kernel: AttentionKernel
    is_grouped: bool


def attention_of(requested: Requested, target: Target) -> LanguageAttention:
    """Return the attention of a cell on a device, by the rules for its system and release of torch.

    FlashAttention 2 is `flash`. A CPU has one fused kernel, which is `flash` too and takes groups.
    """
    if requested.attention is Attention.EAGER:
        return LanguageAttention("eager", True)
    system, capability = target.system, target.info.compute_capability
    if requested.attention is Attention.FLASH_ATTENTION_2 or system is None or capability is None:
        return LanguageAttention("flash", True)
    choose = partial(chosen_kernel, torch_build(system), compute_capability=capability, dtype=requested.dtype)
    is_grouped = settings_of(requested.profile).is_grouped(choose(is_grouped=True))
    return LanguageAttention(choose(is_grouped=is_grouped), is_grouped)
