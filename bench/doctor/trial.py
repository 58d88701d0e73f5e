"""Tries torch and FlashAttention 2 on one card, in a process of its own: they may crash."""

import os
import re
import subprocess
import sys
from typing import Final

from bench.doctor.facts import Trial

_LIMIT_S: Final = 120.0
_LONGEST: Final = 160
# torch puts advice below its message: the line that counts is the one with the error's name.
_ERROR: Final = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception)\b:?")


def try_card(uuid: str | None, *, flash_attn: bool) -> Trial:
    """Return torch's architectures, and whether a small product and attention work on this card."""
    command = [sys.executable, "-m", "bench.doctor.on_card", *(["flash"] if flash_attn else [])]
    seen = {"CUDA_VISIBLE_DEVICES": uuid} if uuid else {}
    try:
        ended = subprocess.run(
            command,
            env=os.environ | {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"} | seen,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=_LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        return Trial(torch_error=f"no answer within {_LIMIT_S:.0f} s")
    return read(ended.stdout, ended.stderr, ended.returncode, flash_attn=flash_attn)


def read(out: str, err: str, code: int, *, flash_attn: bool) -> Trial:
    """Read the trial's output and exit: the first step without a line is the one that failed."""
    lines = out.splitlines()
    kernels = tuple(lines[0].split()) if lines else ()
    if "product" not in lines:
        return Trial(kernels, torch_error=_reason(err, code))
    said = lines[2:]
    if not flash_attn or said == [""]:
        return Trial(kernels)
    return Trial(kernels, flash_attn_error=said[0][:_LONGEST] if said else _reason(err, code))


def _reason(err: str, code: int) -> str:
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    named = [line for line in lines if _ERROR.match(line)]
    last = (named or lines)[-1] if lines else ""
    if code < 0 and not named:
        return f"the process was ended by signal {-code}"
    return last[:_LONGEST] or f"the process ended with code {code}"
