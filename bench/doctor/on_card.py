"""Tries torch on the one card that this process sees: `python -m bench.doctor.on_card [flash]`.

A line per step: the architectures that torch was built for; `product` once one came out; what FlashAttention
2 says against this card, or nothing. A step that ends the process leaves none: the parent reads how it ended.
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
        from bench.engines.native.flash_attention import flash_attention_problem
        from bench.wording.outcomes import reason

        broken = flash_attention_problem(torch.device("cuda"))
        _say("" if broken is None else reason(broken))


def _say(line: str) -> None:
    sys.stdout.write(f"{' '.join(line.split())}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
