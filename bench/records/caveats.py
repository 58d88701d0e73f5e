"""Caveats of a record or a check: one frozen type for each.

`bench.wording.caveats` makes the sentence of each. Bytes and watts are as in the record.
"""

from typing import Annotated, Literal

from pydantic import Field

from bench.records.base import Bytes, Frozen, Utc
from bench.records.enums import AttentionKernel, OperatingSystem
from bench.records.reasons import ForeignText

# --- about a run ------------------------------------------------------------------------------------------


class TinyModel(Frozen):
    """The record is of the tiny model."""

    code: Literal["tiny_model"] = "tiny_model"


class NothingRan(Frozen):
    """Every figure is a prediction."""

    code: Literal["nothing_ran"] = "nothing_ran"


class RandomWeights(Frozen):
    """The weights have the exact shapes and random values."""

    code: Literal["random_weights"] = "random_weights"


class OtherRepository(Frozen):
    """The weights are not from those who released the model."""

    code: Literal["other_repository"] = "other_repository"
    repo: ForeignText | None = Field(description="on the Hub, as the record names it")
    shapes_only: bool = Field(description="a prediction: no weights were loaded")


class LocalWeights(Frozen):
    """The weights are from a local folder."""

    code: Literal["local_weights"] = "local_weights"
    shapes_only: bool = Field(description="a prediction: no weights were loaded")


class EmulatedOnCpu(Frozen):
    """A card was emulated on a CPU."""

    code: Literal["emulated_on_cpu"] = "emulated_on_cpu"


class EmulatedMemory(Frozen):
    """A card was emulated on a larger one."""

    code: Literal["emulated_memory"] = "emulated_memory"


class RanOnCpu(Frozen):
    """The cells ran on the CPU."""

    code: Literal["ran_on_cpu"] = "ran_on_cpu"


RunCaveat = (
    TinyModel
    | NothingRan
    | RandomWeights
    | OtherRepository
    | LocalWeights
    | EmulatedOnCpu
    | EmulatedMemory
    | RanOnCpu
)


# --- about a prediction -----------------------------------------------------------------------------------


class PredictedForCpu(Frozen):
    """The prediction is for the kernels of a CPU."""

    code: Literal["predicted_for_cpu"] = "predicted_for_cpu"


class KernelExpected(Frozen):
    """The kernel follows from the sources of torch; no run of such a build has shown it."""

    code: Literal["kernel_expected"] = "kernel_expected"
    kernel: AttentionKernel


class ReservedMeasured(Frozen):
    """Reserved bytes are modelled, and were measured on the card."""

    code: Literal["reserved_measured"] = "reserved_measured"
    ratio_low: float = Field(description="measured / predicted")
    ratio_high: float
    cells: int
    records: int


class ReservedUnconfirmed(Frozen):
    """Reserved bytes are modelled, and were not measured on the card."""

    code: Literal["reserved_unconfirmed"] = "reserved_unconfirmed"
    allocator: ForeignText = Field(description="whose rules are modelled, as the record names it")


class RangesOfOtherMachines(Frozen):
    """What driver and CUDA context take is known from other machines."""

    code: Literal["ranges_of_other_machines"] = "ranges_of_other_machines"
    with_desktop: bool = Field(description="a desktop is among what is known from them")


class CalibratedByRecords(Frozen):
    """Driver and CUDA context are as measured records of the card show them."""

    code: Literal["calibrated_by_records"] = "calibrated_by_records"
    records: int
    with_desktop: bool = Field(description="a desktop is counted, as other machines showed it")


class BudgetReadHere(Frozen):
    """The budget is what the driver of the card reported; the CUDA context is known from other machines."""

    code: Literal["budget_read_here"] = "budget_read_here"
    read_at: Utc
    driver_reserve_bytes: Bytes
    in_use_bytes: Bytes | None = Field(description="by a desktop and other programs; null where not counted")


class PredictedForSystem(Frozen):
    """A system and a release of torch decide the kernels, and the system decides what a desktop leaves."""

    code: Literal["predicted_for_system"] = "predicted_for_system"
    os: OperatingSystem
    torch: ForeignText = Field(description="release that the prediction is for")
    kernels: tuple[AttentionKernel, ...] = Field(description="of the language model, each once")
    torch_here: ForeignText | None = Field(
        description="release on the machine that predicted, where it is another one"
    )


class MathOnWindows(Frozen):
    """torch for Windows runs *math*, whose memory grows with the square of the clip."""

    code: Literal["math_on_windows"] = "math_on_windows"


class SpeedsAreCeilings(Frozen):
    """Predicted speeds are what the card allows at most."""

    code: Literal["speeds_are_ceilings"] = "speeds_are_ceilings"


PredictionCaveat = (
    PredictedForCpu
    | PredictedForSystem
    | KernelExpected
    | MathOnWindows
    | ReservedMeasured
    | ReservedUnconfirmed
    | RangesOfOtherMachines
    | BudgetReadHere
    | CalibratedByRecords
    | SpeedsAreCeilings
)


# --- about the device -------------------------------------------------------------------------------------


class ComputedElsewhere(Frozen):
    """The cells computed on another kind of device than the record is about."""

    code: Literal["computed_elsewhere"] = "computed_elsewhere"
    device_kind: ForeignText = Field(description="that they computed on, as the framework names it")
    device: ForeignText = Field(description="name of the device that the record is about")


class NotInCatalog(Frozen):
    """The catalog does not have the card."""

    code: Literal["not_in_catalog"] = "not_in_catalog"
    predicted: bool


class OtherPrograms(Frozen):
    """Other programs used the card when the run began."""

    code: Literal["other_programs"] = "other_programs"
    count: int
    used_bytes: Bytes | None


class DisplayAttached(Frozen):
    """The card drives a display."""

    code: Literal["display_attached"] = "display_attached"


class PowerLimited(Frozen):
    """The power limit is below the card's default."""

    code: Literal["power_limited"] = "power_limited"
    limit_w: float
    default_w: float


DeviceCaveat = ComputedElsewhere | NotInCatalog | OtherPrograms | DisplayAttached | PowerLimited


# --- about some of the cells ------------------------------------------------------------------------------

SomeCellsCode = Literal[
    "cells_interrupted",
    "cells_beyond_time_budget",
    "cells_pruned",
    "cells_failed",
    "cells_retried",
    "cells_ran_other_kernels",
    "cells_stopped_early",
    "cells_noisy",
    "cells_contended",
    "cells_throttled",
    "cells_spilled",
    "cells_too_close_to_call",
    "cells_ran_same_kernels",
    "cells_read_slowly",
    "cells_ran_out_beside_another",
    "cells_left_memory",
    "cells_lost_driver",
]


class SomeCells(Frozen):
    """The code says something of `count` of the record's `cells`."""

    code: SomeCellsCode
    count: int
    cells: int


class SampledWithGaps(Frozen):
    """The sampler of `count` of the record's `cells` came late."""

    code: Literal["cells_sampled_with_gaps"] = "cells_sampled_with_gaps"
    count: int
    cells: int
    periods: int = Field(description="of the sampler; a gap was longer than so many")


CellsCaveat = SomeCells | SampledWithGaps

RecordCaveat = Annotated[
    RunCaveat | PredictionCaveat | DeviceCaveat | CellsCaveat, Field(discriminator="code")
]
"""A caveat of one record."""


# --- about several records --------------------------------------------------------------------------------


class RecordsElsewhere(Frozen):
    """`count` of the `records` computed on another kind of device."""

    code: Literal["records_elsewhere"] = "records_elsewhere"
    count: int
    records: int


class OtherProvenance(Frozen):
    """`count` of the `records` have another provenance than the verdict rests on."""

    code: Literal["other_provenance"] = "other_provenance"
    count: int
    records: int


class MachinesUnknown(Frozen):
    """Not every record names its machine."""

    code: Literal["machines_unknown"] = "machines_unknown"


class CellsOfRecords(Frozen):
    """A caveat about some cells, with the counts of several records added up."""

    code: Literal["cells_of_records"] = "cells_of_records"
    records: int
    caveat: Annotated[CellsCaveat, Field(discriminator="code")]


class PredictedForSystems(Frozen):
    """The systems that the predictions are for, each once with all its kernels."""

    code: Literal["predicted_for_systems"] = "predicted_for_systems"
    systems: tuple[PredictedForSystem, ...]


class InSomeRecords(Frozen):
    """`count` of the `records` have the caveat."""

    code: Literal["in_some_records"] = "in_some_records"
    count: int
    records: int
    caveat: RecordCaveat


class MoreCaveats(Frozen):
    """So many caveats of single records are left out."""

    code: Literal["more_caveats"] = "more_caveats"
    count: int


Caveat = Annotated[
    RecordCaveat
    | RecordsElsewhere
    | OtherProvenance
    | MachinesUnknown
    | CellsOfRecords
    | PredictedForSystems
    | InSomeRecords
    | MoreCaveats,
    Field(discriminator="code"),
]
"""A caveat of one record, or of several."""
