"""What a card loses before the framework's allocator gets any of it: ranges, with their evidence. Pure.

Each range spans what was seen on real machines; `typical_bytes` is the value to use where one is needed.
"""

from dataclasses import dataclass
from typing import Final

from bench.units import MIB


@dataclass(frozen=True, slots=True)
class Allowance:
    """A cost that differs between machines. `evidence` says where it was seen."""

    low_bytes: int
    typical_bytes: int
    high_bytes: int
    evidence: str


RESERVE: Final = Allowance(
    205 * MIB,
    434 * MIB,
    614 * MIB,
    "driver reserve: 205 MiB (RTX 2080 SUPER, Windows), 434 MiB (RTX 4080 SUPER), 464 MiB (RTX 5070), "
    "486 MiB (RTX 5090), 614 MiB (H200)",
)
CONTEXT: Final = Allowance(
    216 * MIB,
    428 * MIB,
    828 * MIB,
    "CUDA context and libraries: 216 MiB (RTX 5080 Laptop, bare), 428 MiB (RTX 4090, bare), "
    "518 MiB (H100), 828 MiB (RTX 5090, torch with libraries loaded)",
)
DESKTOP: Final = Allowance(
    211 * MIB,
    797 * MIB,
    1600 * MIB,
    "idle desktop: 211 MiB (GNOME, RTX 2080 SUPER), 596 MiB (KDE, RTX 4080 SUPER), 797 MiB (RTX 4070, a "
    "monitor on the card less one on the CPU's graphics); 1600 MiB (KDE with a browser, many tabs)",
)
