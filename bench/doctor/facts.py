"""The facts, before any rule: plain values, None where unknown. Pure."""

from dataclasses import dataclass, field

from bench.arithmetic.shapes import LanguageShapes
from bench.hardware.system import System
from bench.packages import Fault
from bench.records.card import DeviceState
from bench.records.enums import SdpaKernel


@dataclass(frozen=True, kw_only=True, slots=True)
class Host(System):
    """The machine and the Python that runs here.

    `hidden_gpus` counts the cards that CUDA_VISIBLE_DEVICES keeps from this process. `makefile`: this is a
    checkout whose own .venv runs. `extra_command` adds what runs the model to the installed bench.
    """

    os: str
    python: tuple[int, int, int]
    ram_total_bytes: int
    ram_available_bytes: int
    hidden_gpus: int = 0
    makefile: bool = False
    macos: bool = False
    extra_command: str = 'pip install "moss-audio-bench[run]"'


@dataclass(frozen=True, slots=True)
class TorchBuild:
    """The installed torch, read from its files: it is not imported. `cuda` is None for a CPU build."""

    version: str
    cuda: str | None
    hip: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """Result of trying torch on one card, in a process of its own.

    `kernels` are the architectures that it was built for, such as `sm_80`. An error is its last line.
    `sdpa_kernel` and `has_flash_kernels` are None where torch does not say.
    """

    kernels: tuple[str, ...] = ()
    torch_error: str | None = None
    flash_attn_error: str | None = None
    sdpa_kernel: SdpaKernel | None = None
    has_flash_kernels: bool | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """The model's files in the Hub's cache. `present_bytes` need no download.

    `fault`: the reason why this machine cannot ask the Hub; `fix` is its remedy.
    """

    complete: bool
    present_bytes: int
    free_bytes: int
    offline: bool = False
    fault: str | None = None
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """A program on a card. `name` is None where it is not visible, as from inside a container.

    `compute`: it computes and does not draw.
    """

    pid: int
    name: str | None
    used_bytes: int | None
    compute: bool

    @property
    def words(self) -> str:
        """Return name and pid, such as `firefox (pid 4711)`."""
        return f"{self.name or 'an unnamed program'} (pid {self.pid})"


@dataclass(frozen=True, slots=True)
class Card:
    """One card. `trial` is None where a trial is useless; `processes` where the driver gives no list."""

    slug: str
    name: str
    compute_capability: str | None
    driver: str | None
    driver_cuda: str | None
    memory_total_bytes: int | None
    state: DeviceState
    processes: tuple[Process, ...] | None = None
    trial: Trial | None = None
    is_mig: bool = False
    catalogued: bool = True
    uuid: str | None = None

    @property
    def capability(self) -> tuple[int, int] | None:
        """`8.9` as numbers."""
        if self.compute_capability is None:
            return None
        major, _, minor = self.compute_capability.partition(".")
        return int(major), int(minor or 0)


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts.

    `cards` are the requested ones, `wanted` the requested name; `cpu_wanted`: the CPU was requested.
    `faults`: required packages that cannot be used; `run_packages`: those that the extra `run` brings.
    `weights` is None without the package that finds them.
    `unusable`: for each card here that cannot be used, the reason and the remedy. `driver_error` is the error
    of a driver that does not work, `driver_fix` its remedy. `cpu_kernel`: what SDPA runs on the CPU.
    `language`: shapes of the model's language part, from which the memory of its attention follows.
    """

    host: Host
    torch: TorchBuild | None
    flash_attn: str | None
    weights: Weights | None
    cards: tuple[Card, ...] = field(default=())
    driver_error: str | None = None
    driver_fix: str | None = None
    cpu_wanted: bool = False
    wanted: str | None = None
    unusable: tuple[tuple[str, str | None], ...] = ()
    faults: tuple[Fault, ...] = ()
    run_packages: frozenset[str] = frozenset()
    cpu_kernel: SdpaKernel | None = None
    language: LanguageShapes | None = None

    def fault(self, package: str) -> Fault | None:
        """Return the fault of a required package; None if it has none."""
        return next((fault for fault in self.faults if fault.package == package), None)
