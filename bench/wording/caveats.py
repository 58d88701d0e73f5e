"""The sentence of each caveat."""

from typing import Final, assert_never

from bench import units
from bench.records import caveats
from bench.wording.labels import KERNELS, SYSTEMS
from bench.wording.phrases import plural

SPILL: Final = "Memory that does not fit moves to system memory: the run is slow instead of ending."
"""What Windows does with memory beyond the budget."""

_SOME_CELLS: Final[dict[caveats.SomeCellsCode, str]] = {
    "cells_interrupted": "did not run because the run was interrupted; --resume runs them",
    "cells_beyond_time_budget": "did not run because the time budget was used up; --resume runs them",
    "cells_pruned": "did not run because a smaller one ran out of memory",
    "cells_failed": "failed or passed the time limit, for a reason other than memory",
    "cells_retried": "failed at first; a later attempt is shown, and the record contains both",
    "cells_ran_other_kernels": "ran with other attention kernels than requested",
    "cells_stopped_early": "stopped before the requested number of tokens",
    "cells_noisy": "vary strongly between repeats (marked noisy)",
    "cells_contended": "shared the device with other work (marked contended)",
    "cells_throttled": "ran while the device slowed itself down (marked throttled)",
    "cells_spilled": ("needed more memory than the card has and used system memory too (marked spilled)"),
    "cells_too_close_to_call": "are too close to call (likely fits, probably not): run them to find out",
    "cells_ran_same_kernels": (
        "requested different attention and ran the same kernels: do not compare them with each other"
    ),
    "cells_read_slowly": (
        "filled the card and read its memory far more slowly than the others, "
        "a sign that they used system memory too"
    ),
    "cells_ran_out_beside_another": (
        "ran out of memory while another program computed on the card: they may fit without it"
    ),
    "cells_left_memory": "left memory in use on the card: less may have been available to the next one",
    "cells_lost_driver": (
        "ended after the driver stopped answering: their memory and power figures are incomplete"
    ),
}


def sentence(caveat: caveats.Caveat) -> str:
    """A caveat of one record, or of several, with its full stop.

    The kinds follow each other: each function knows the caveats of one and hands the rest on.
    """
    match caveat:
        case caveats.RecordsElsewhere(count=count, records=records):
            where = "computed on another kind of device"
            return f"{count} of {records} records {where}: their figures are left out."
        case caveats.OtherProvenance(count=count, records=records):
            be, them = ("is", "it") if count == 1 else ("are", "them")
            what = f"{count} of {records} records {be} of another provenance"
            return f"{what}: the verdict does not use {them}."
        case caveats.MachinesUnknown():
            return "Some records do not name their machine: several may come from the same machine."
        case caveats.InSomeRecords(count=count, records=records, caveat=inner):
            return f"In {count} of {records} records: {sentence(inner)}"
        case caveats.MoreCaveats(count=count):
            return f"{count} more caveats are in the reports of the single records."
        case caveats.CellsOfRecords(records=records, caveat=inner):
            return f"{inner.count} of the {inner.cells} cells of {records} records {_cells(inner)}."
        case caveats.PredictedForSystems(systems=systems):
            return _systems(systems)
        case caveats.SomeCells() | caveats.SampledWithGaps():
            return f"{caveat.count} of {caveat.cells} cells {_cells(caveat)}."
        case _:
            return _run(caveat)


def _cells(caveat: caveats.CellsCaveat) -> str:
    """What is true of these cells."""
    if isinstance(caveat, caveats.SampledWithGaps):
        return f"were sampled with gaps of over {caveat.periods} periods: a sampled peak is weak"
    return _SOME_CELLS[caveat.code]


def _run(caveat: caveats.RunCaveat | caveats.PredictionCaveat | caveats.DeviceCaveat) -> str:
    match caveat:
        case caveats.TinyModel():
            return (
                "Tiny model of the same architecture: its memory and speed are not those of the real model."
            )
        case caveats.NothingRan():
            return "Predicted from the architecture: nothing was run."
        case caveats.RandomWeights():
            return (
                "Random weights of the same shapes: memory is that of the real weights, and speed nearly so. "
                "The generated text is meaningless."
            )
        case caveats.OtherRepository(repo=repo, shapes_only=shapes_only):
            return f"{_what(shapes_only)} of {repo}, not of a released model."
        case caveats.LocalWeights(shapes_only=shapes_only):
            return f"{_what(shapes_only)} from a local folder: they may differ from the published ones."
        case caveats.EmulatedOnCpu():
            return (
                "The card was emulated on a CPU, which counted its memory. The limits are those of that "
                "card; the speed is meaningless."
            )
        case caveats.EmulatedMemory():
            return (
                "The memory limit was emulated. The limits are those of the smaller card; "
                "the speed is that of the larger card."
            )
        case caveats.RanOnCpu():
            return "Ran on the CPU: memory and speed are not those of a graphics card."
        case _:
            return _prediction(caveat)


def _what(shapes_only: bool) -> str:
    return "Shapes" if shapes_only else "Weights"


def _prediction(caveat: caveats.PredictionCaveat | caveats.DeviceCaveat) -> str:
    match caveat:
        case caveats.PredictedForCpu():
            return "Predicted for the kernels of a CPU: the figures are not those of a graphics card."
        case caveats.PredictedForSystem():
            return _system(caveat)
        case caveats.KernelExpected(kernel=kernel):
            return (
                f"The {KERNELS[kernel]} attention kernel is expected from the sources of torch. "
                "No run with a Windows build confirms it yet."
            )
        case caveats.MathOnWindows():
            return (
                "The math kernel stores the scores of all pairs of positions: memory grows with the square "
                "of the clip. torch 2.14 or newer, WSL2, FlashAttention 2 or --profile lean need less."
            )
        case caveats.ReservedMeasured():
            return f"Reserved bytes are modelled. Measured on this card, they were {_ratios(caveat)}."
        case caveats.ReservedUnconfirmed(allocator=allocator):
            return (
                f"Reserved bytes are modelled. The allocator rules ({allocator}, default settings) are "
                "confirmed on recorded traces of real cards; this model's own trace is not."
            )
        case caveats.RangesOfOtherMachines(with_desktop=with_desktop):
            parts = "Driver reserve and CUDA context"
            if with_desktop:
                parts = "Driver reserve, CUDA context and the memory of a desktop"
            return f"{parts} are ranges measured on other machines: this one may differ."
        case caveats.BudgetReadHere(read_at=at, driver_reserve_bytes=reserve, in_use_bytes=used):
            use = "" if used is None else f", {units.gib(used)} in use, which counts as the desktop"
            return (
                f"Budget of this machine, as its driver reported it at {at:%Y-%m-%d %H:%M} UTC: "
                f"{units.gib(reserve)} kept by the driver{use}. It does not report the CUDA context."
            )
        case caveats.CalibratedByRecords(records=records, with_desktop=with_desktop):
            desktop = (
                " The memory of a desktop is a range measured on other machines." if with_desktop else ""
            )
            return (
                "CUDA context, driver reserve and cuDNN's part come from "
                f"{records} measured {plural('record', records)} of this card, where shown.{desktop}"
            )
        case caveats.SpeedsAreCeilings():
            return (
                "Speeds are upper limits, computed from the card's bandwidth and BF16 rate: a run is slower."
            )
        case _:
            return _device(caveat)


def _systems(systems: tuple[caveats.PredictedForSystem, ...]) -> str:
    """The kernels of each system; what is the same for several is said once."""
    parts = [f"Predicted for {'; '.join(map(_kernels, systems))}."]
    here = sorted({one.torch_here for one in systems if one.torch_here is not None})
    if here:
        parts.append(f"The installed torch is {', '.join(here)}.")
    if any(one.os == "windows" for one in systems):
        parts.append(f"On Windows, {SPILL[:1].lower()}{SPILL[1:]}")
    return " ".join(parts)


def _kernels(planned: caveats.PredictedForSystem) -> str:
    """`Windows, torch 2.13: math attention kernel`."""
    kernels = ", ".join(KERNELS[kernel] for kernel in planned.kernels)
    noun = plural("kernel", len(planned.kernels))
    head = f"{SYSTEMS[planned.os]}, torch {planned.torch}"
    return f"{head}: {kernels} attention {noun}" if kernels else head


def _system(planned: caveats.PredictedForSystem) -> str:
    """`Windows, torch 2.13: math attention kernel.` and what follows from the system."""
    parts = [_kernels(planned) if planned.kernels else f"Predicted for {_kernels(planned)}"]
    if planned.torch_here is not None:
        parts.append(f"the installed torch is {planned.torch_here}")
    text = f"{'; '.join(parts)}."
    return text if planned.os == "linux" else f"{text} {SPILL}"


def _ratios(measured: caveats.ReservedMeasured) -> str:
    """`0.97 to 1.02 times the prediction in 24 cells of 2 records`."""
    low, high = units.ratio(measured.ratio_low), units.ratio(measured.ratio_high)
    span = low if low == high else f"{low} to {high}"
    cells, records = measured.cells, measured.records
    return (
        f"{span} times the prediction in {cells} {plural('cell', cells)} of "
        f"{records} {plural('record', records)}"
    )


def _device(caveat: caveats.DeviceCaveat) -> str:
    match caveat:
        case caveats.ComputedElsewhere(device_kind=kind, device=device):
            return f"Computed on the {kind}: the figures are not those of {device}."
        case caveats.NotInCatalog(predicted=predicted):
            missing = "ceiling of speed" if predicted else "share of them"
            return (
                "This card is not in the catalog: its bandwidth and BF16 rate are not known, "
                f"so no {missing} is given."
            )
        case caveats.OtherPrograms(count=count, used_bytes=used):
            others = f"{count} other {plural('program', count)} used the card"
            held = "" if used is None else f" and held {units.both_units(used)}"
            return f"When the run began, {others}{held}: less memory was available to the model."
        case caveats.DisplayAttached():
            return (
                "A display is connected to this card: the memory that it uses was not available to the model."
            )
        case caveats.PowerLimited(limit_w=limit, default_w=default):
            return (
                f"The power limit is {limit:.0f} W, below the card's {default:.0f} W: "
                "at the default it may be faster."
            )
        case _:
            assert_never(caveat)
