"""The resident set of this process, and its peak per phase."""

import os
import sys
from pathlib import Path

import psutil


class Resident:
    """The resident set of this process and its peak since the last reset.

    Linux keeps the peak itself (VmHWM) and resets it when 5 is written to clear_refs (proc(5)): exact,
    with no sampling. Elsewhere the peak of a phase is not available, and None.
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        self.source = "VmHWM of proc(5), reset at each phase" if self._reset_peak() else None

    def now(self) -> int:
        """Resident bytes."""
        return int(self._process.memory_info().rss)

    def begin(self) -> None:
        """Start a new peak."""
        self._reset_peak()

    def peak(self) -> int | None:
        """Largest resident set since `begin`, in bytes; None where not available."""
        if self.source is None:
            return None
        status = Path("/proc/self/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    @staticmethod
    def _reset_peak() -> bool:
        if sys.platform != "linux":
            return False
        try:
            descriptor = os.open("/proc/self/clear_refs", os.O_WRONLY)
        except OSError:  # some containers mount proc read-only
            return False
        try:
            os.write(descriptor, b"5")
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return True
