"""Software and host of a run. Contains no host name, user name, path or serial number."""

import os
import platform
import subprocess
from pathlib import Path
from typing import Final

import psutil

import bench
from bench.packages import version_of
from bench.records.record import Environment
from bench.store.scrub import scrub
from bench.text import name as cleaned

# Each of these changes how much memory a run takes or how fast it is.
_VARIABLES: Final = (
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_LAUNCH_BLOCKING",
    "CUDA_MODULE_LOADING",
    "MALLOC_ARENA_MAX",
    "MKL_NUM_THREADS",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "PYTORCH_ALLOC_CONF",
    "PYTORCH_CUDA_ALLOC_CONF",
    "PYTORCH_NO_CUDA_MEMORY_CACHING",
    "TORCH_CUDNN_V8_API_DISABLED",
)
_PACKAGES: Final = (
    "accelerate",
    "flash-attn",
    "huggingface-hub",
    "kernels",
    "numpy",
    "nvidia-ml-py",
    "safetensors",
    "soundfile",
    "soxr",
    "tokenizers",
)


def environment(
    *, torch: str | None, transformers: str | None, has_flash_kernels: bool | None = None
) -> Environment:
    """Return the software and host that a result depends on. The arguments are the worker's."""
    commit, dirty = _checkout()
    return Environment(
        bench_version=bench.__version__,
        bench_commit=commit,
        bench_dirty=dirty,
        python=platform.python_version(),
        torch=torch,
        transformers=transformers,
        has_flash_kernels=has_flash_kernels if torch else None,
        packages={name: version for name in _PACKAGES if (version := version_of(name)) is not None},
        variables={name: scrub(os.environ[name]) for name in _VARIABLES if name in os.environ},
        os=_system(),
        kernel=scrub(f"{platform.system()} {platform.release()}"),  # builders put their names into it
        cpu=cpu_name(),
        cpu_cores=psutil.cpu_count(logical=False),
        ram_bytes=int(psutil.virtual_memory().total),
    )


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return scrub(f"{platform.system()} {platform.version()}")


def _checkout() -> tuple[str | None, bool | None]:
    """Commit of this checkout and whether tracked files differ from it; None twice outside a checkout."""
    root = Path(bench.__file__).parent.parent
    if not (root / ".git").exists():
        return None, None
    commit = _git(root, "rev-parse", "HEAD")
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return commit or None, None if changed is None else bool(changed)


def _git(root: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def cpu_name() -> str | None:
    """Return the processor's brand string, such as `Intel(R) Core(TM) i5-12400`; None if unknown."""
    return cleaned(_cpu_name()) or None


def _cpu_name() -> str | None:
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
