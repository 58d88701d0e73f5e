"""The diagnosis. `bench doctor --json` prints its JSON form. Pure.

    {"schema_version": "1.0", "can_run": bool, "conclusion": str, "next_command": str | null,
     "machine": {...}, "gpus": [{"slug", "name", ..., "budget": {...}, "can_run": bool, "checks": [...]}],
     "checks": [{"name", "status": "ok|note|warning|problem", "summary", "fix": str | null,
                 "command": str | null, "mendable": bool}]}

`checks` at the top are the machine's, those of a GPU are its own. Each list is in the order of
repair. A `problem` keeps the model from running, a `warning` makes it worse, a `note` only informs.
"""

from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator, Field

from bench.records.base import Bytes, Frozen
from bench.records.card import Budget
from bench.text import clean

WEIGHTS_BYTES: Final = 10_445_641_472
"""The BF16 weights of MOSS-Audio-4B-Instruct: 5,222,820,736 parameters of two bytes."""

MODEL: Final = "MOSS-Audio-4B-Instruct"

Status = Literal["ok", "note", "warning", "problem"]
Name = Literal[
    "Python",
    "torch",
    "packages",
    "GPU",
    "driver",
    "kernels",
    "BF16",
    "attention",
    "FlashAttn 2",
    "weights",
    "RAM",
    "VRAM",
    "processes",
    "display",
    "power",
    "spill",
]
ORDER: Final[tuple[Name, ...]] = get_args(Name)
"""The order in which to fix problems: a later check depends on the earlier ones."""


Shown = Annotated[str, AfterValidator(clean)]
"""One printable line: parts of it are the driver's, torch's, or of the environment."""


class Check(Frozen):
    """The finding of one rule."""

    name: Name
    status: Status
    summary: Shown
    fix: Shown | None = Field(default=None, description="what to do, in imperative words")
    command: str | None = Field(default=None, description="the command that does it, where one does")
    mendable: bool = Field(default=True, description="false where only other hardware helps")


class Gpu(Frozen):
    """One card, or one MIG slice of it."""

    slug: str
    name: str
    compute_capability: str | None
    driver: str | None
    driver_cuda: str | None = Field(description="newest CUDA that the driver speaks")
    is_mig: bool
    memory_total_bytes: Bytes | None
    budget: Budget
    can_run: bool
    checks: tuple[Check, ...]


class Machine(Frozen):
    """The machine around the cards."""

    os: str
    python: str
    torch: str | None
    torch_cuda: str | None = Field(description="CUDA that torch was built for; null for the CPU")
    ram_total_bytes: Bytes
    ram_available_bytes: Bytes
    container: bool
    wsl2: bool


class Diagnosis(Frozen):
    """The whole screen."""

    schema_version: Literal["1.0"] = "1.0"
    can_run: bool = Field(description="whether `next_command` is a run that can work")
    conclusion: str
    next_command: str | None
    machine: Machine
    gpus: tuple[Gpu, ...]
    checks: tuple[Check, ...]
