"""Tries torch on the one card that this process sees: `python -m bench.hardware.doctor.on_card [flash]`.

One line per step that worked: the architectures that torch was built for, then `product`, then `flash`. What
does not work ends the process: its parent reads how. A crash below Python then looks the same as an error.
"""

import sys


def main() -> None:
    """Each step needs the one before."""
    import torch

    _say(torch._C._cuda_getArchFlags() or "")
    ones = torch.ones(16, 16, dtype=torch.bfloat16, device="cuda")
    torch.mm(ones, ones)
    torch.cuda.synchronize()  # a kernel that is missing is told here at the latest
    _say("product")
    if "flash" in sys.argv[1:]:
        _flash_attention()
        _say("flash")


def _flash_attention() -> None:
    import torch
    from flash_attn import flash_attn_func

    # Batch, positions, heads, width: the language model's own width of a head.
    ones = torch.ones(1, 16, 1, 128, dtype=torch.bfloat16, device="cuda")
    flash_attn_func(ones, ones, ones, causal=True)
    torch.cuda.synchronize()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
