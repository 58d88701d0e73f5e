"""Tries torch on the only card visible to this process: `python -m bench.doctor.on_card [flash]`.

Prints a line per step: the architectures that torch was built for; `product` once one was computed;
FlashAttention 2's objection to this card, or nothing. A step that ends the process prints none: the parent
reads its exit.
"""

import sys


def main() -> None:
    """Run the steps; each needs the one before."""
    import torch

    _say(torch._C._cuda_getArchFlags() or "")
    ones = torch.ones(16, 16, dtype=torch.bfloat16, device="cuda")
    torch.mm(ones, ones)
    torch.cuda.synchronize()  # a missing kernel is reported here at the latest
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
