"""Tries FlashAttention 2 on a card: wheels lack kernels for some cards and releases of torch."""

import importlib.util

import torch

from bench.packages import version_of
from bench.records.reasons import FlashAttentionBroken
from bench.store.scrub import scrub

_HEAD_DIM = 128  # of the language model; a wheel has separate kernels for each size


def flash_attention_problem(device: torch.device) -> FlashAttentionBroken | None:
    """Return the error of the installed package on this device; None if it works or is not installed.

    It computes one attention over 16 positions, which loads a few MB of kernels onto the card.
    """
    if importlib.util.find_spec("flash_attn") is None:
        return None
    version = version_of("flash-attn")
    try:
        from flash_attn import flash_attn_func
    except Exception as error:  # noqa: BLE001 - built for another torch it may raise anything, or end the process
        return FlashAttentionBroken(version=version, failed_at="import", error=_first_line(error))
    try:
        states = torch.zeros(1, 16, 1, _HEAD_DIM, dtype=torch.bfloat16, device=device)
        flash_attn_func(states, states, states, causal=True)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
    except torch.OutOfMemoryError:
        return None  # a full card says nothing about the package; the cells report it
    except Exception as error:  # noqa: BLE001 - as above
        return FlashAttentionBroken(version=version, failed_at="run", error=_first_line(error))
    return None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return scrub(lines[0])[:200] if lines else type(error).__name__
