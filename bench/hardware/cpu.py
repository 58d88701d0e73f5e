"""The processor's name, where the system reports it."""

import platform
import subprocess
from pathlib import Path


def name() -> str | None:
    """The brand string, such as `Intel(R) Core(TM) i5-12400`; None where it is unknown."""
    if platform.system() == "Linux":
        return _from_cpuinfo(Path("/proc/cpuinfo"))
    if platform.system() == "Darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
        return answer.stdout.strip() or None
    return platform.processor() or None


def _from_cpuinfo(path: Path) -> str | None:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() in {"model name", "Model"} and value.strip():
            return value.strip()
    return platform.machine() or None
