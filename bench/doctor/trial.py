"""Tries torch and FlashAttention 2 on one card, in a process of its own, since they may crash.

The child is the module `bench.doctor.trial [flash]` with one visible card. It prints a line per step: the
architectures that torch was built for; `product` after a small product; `sdpa` with the kernel that torch
chooses, and `flash-kernels` or `no-flash-kernels` where torch says so; the error of FlashAttention 2 on this
card, or nothing. A step that ends the process prints none, and the parent reads its exit.
"""

import os
import re
import subprocess
import sys
from dataclasses import replace
from typing import Final, get_args

from bench.doctor.facts import Trial
from bench.processes import python_command, python_environment
from bench.records.enums import SdpaKernel
from bench.weights.hub_settings import importable

_LIMIT_S: Final = 120.0
_BEGIN: Final = "\nbench.doctor.trial\n"
_LONGEST: Final = 160
# torch puts advice below its message: the line that counts is the one with the error's name.
_SDPA: Final = re.compile(r"sdpa (?P<kernel>[a-z_]+)(?: (?P<flash>flash-kernels|no-flash-kernels))?\Z")
_HAS_FLASH: Final = {"flash-kernels": True, "no-flash-kernels": False}
_ERROR: Final = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception)\b:?")


def try_card(uuid: str | None, *, flash_attn: bool) -> Trial:
    """Return torch's architectures, and whether a small product and attention work on this card."""
    command = python_command("bench.doctor.trial", *(["flash"] if flash_attn else []))
    seen = {"CUDA_VISIBLE_DEVICES": uuid} if uuid else {}
    try:
        ended = subprocess.run(
            command,
            env=importable(python_environment(os.environ)) | {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"} | seen,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=_LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        return Trial(torch_error=f"no answer within {_LIMIT_S:.0f} s")
    said = ended.stdout.partition(_BEGIN)[2]  # what comes before was printed while Python started
    return read(said, ended.stderr, ended.returncode, flash_attn=flash_attn)


def read(out: str, err: str, code: int, *, flash_attn: bool) -> Trial:
    """Read the trial's output and exit: the first step without a line is the one that failed."""
    lines = out.splitlines()
    kernels = tuple(lines[0].split()) if lines else ()
    if "product" not in lines:
        return Trial(kernels, torch_error=_reason(err, code))
    chosen = next((match for line in lines[2:3] if (match := _SDPA.match(line))), None)
    tried = Trial(kernels)
    if chosen is not None:
        kernel = next((each for each in get_args(SdpaKernel) if each == chosen["kernel"]), None)
        tried = Trial(kernels, sdpa_kernel=kernel, has_flash_kernels=_HAS_FLASH.get(chosen["flash"]))
    said = lines[2 if chosen is None else 3 :]
    if not flash_attn or said == [""]:
        return tried
    return replace(tried, flash_attn_error=said[0][:_LONGEST] if said else _reason(err, code))


def _reason(err: str, code: int) -> str:
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    named = [line for line in lines if _ERROR.match(line)]
    last = (named or lines)[-1] if lines else ""
    if code < 0 and not named:
        return f"the process was ended by signal {-code}"
    return last[:_LONGEST] or f"the process ended with code {code}"


# --- in the child process ---------------------------------------------------------------------------------


def _on_card() -> None:
    """Run the steps in the child process; each needs the one before."""
    lines = os.dup(1)
    os.dup2(2, 1)  # packages may print
    os.write(lines, _BEGIN.encode())
    import torch

    _say(lines, torch._C._cuda_getArchFlags() or "")
    ones = torch.ones(16, 16, dtype=torch.bfloat16, device="cuda")
    torch.mm(ones, ones)
    torch.cuda.synchronize()  # a missing kernel is reported here at the latest
    _say(lines, "product")
    from bench.engines.native.sdpa import has_flash_kernels, sdpa_kernel

    has_flash = has_flash_kernels()
    words = [word for word, found in _HAS_FLASH.items() if found is has_flash]
    _say(lines, " ".join(["sdpa", sdpa_kernel("cuda", "bfloat16") or "unknown", *words]))
    if "flash" in sys.argv[1:]:
        from bench.engines.native.flash_attention import flash_attention_problem
        from bench.wording.outcomes import reason

        broken = flash_attention_problem(torch.device("cuda"))
        _say(lines, "" if broken is None else reason(broken))


def _say(lines: int, line: str) -> None:
    os.write(lines, f"{' '.join(line.split())}\n".encode())


if __name__ == "__main__":
    _on_card()
