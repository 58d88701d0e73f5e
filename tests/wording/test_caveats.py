"""One sentence for each caveat."""

from datetime import UTC, datetime
from typing import Final, get_args

import pytest

from bench.records import caveats as known
from bench.records.caveats import Caveat, SomeCells, SomeCellsCode
from bench.wording.caveats import sentence
from tests.wording.unions import members

SENTENCES: Final[list[tuple[Caveat, str]]] = [
    (
        known.MathOnWindows(),
        (
            "The math kernel stores the scores of all pairs of positions: memory grows "
            "with the square of the clip. torch 2.14 or newer, WSL2, FlashAttention 2 or "
            "--profile lean need less."
        ),
    ),
    (
        known.TinyModel(),
        "Tiny model of the same architecture: its memory and speed are not those of the real model.",
    ),
    (known.NothingRan(), "Predicted from the architecture: nothing was run."),
    (
        known.RandomWeights(),
        (
            "Random weights of the same shapes: memory is that of the real weights, and "
            "speed nearly so. The generated text is meaningless."
        ),
    ),
    (
        known.OtherRepository(repo="somebody/else", shapes_only=True),
        "Shapes of somebody/else, not of a released model.",
    ),
    (
        known.LocalWeights(shapes_only=False),
        "Weights from a local folder: they may differ from the published ones.",
    ),
    (
        known.EmulatedOnCpu(),
        (
            "The card was emulated on a CPU, which counted its memory. The limits are "
            "those of that card; the speed is meaningless."
        ),
    ),
    (
        known.EmulatedMemory(),
        (
            "The memory limit was emulated. The limits are those of the smaller card; the "
            "speed is that of the larger card."
        ),
    ),
    (known.RanOnCpu(), "Ran on the CPU: memory and speed are not those of a graphics card."),
    (
        known.PredictedForCpu(),
        "Predicted for the kernels of a CPU: the figures are not those of a graphics card.",
    ),
    (
        known.ReservedMeasured(ratio_low=0.97, ratio_high=1.02, cells=24, records=2),
        (
            "Reserved bytes are modelled. Measured on this card, they were 0.97 to 1.02 "
            "times the prediction in 24 cells of 2 records."
        ),
    ),
    (
        known.KernelExpected(kernel="memory_efficient"),
        (
            "The memory-efficient attention kernel is expected from the sources of torch. "
            "No run with a Windows build confirms it yet."
        ),
    ),
    (
        known.PredictedForSystem(os="linux", torch="2.13", kernels=("flash",), torch_here=None),
        "Linux, torch 2.13: flash attention kernel.",
    ),
    (
        known.PredictedForSystem(os="windows", torch="2.14", kernels=("math", "eager"), torch_here="2.13"),
        (
            "Windows, torch 2.14: math, eager attention kernels; the installed torch is "
            "2.13. Memory that does not fit moves to system memory: the run is slow "
            "instead of ending."
        ),
    ),
    (
        known.PredictedForSystem(os="wsl2", torch="2.13", kernels=(), torch_here=None),
        (
            "Predicted for WSL2, torch 2.13. Memory that does not fit moves to system "
            "memory: the run is slow instead of ending."
        ),
    ),
    (
        known.ReservedMeasured(ratio_low=1.0, ratio_high=1.0, cells=1, records=1),
        (
            "Reserved bytes are modelled. Measured on this card, they were 1 times the "
            "prediction in 1 cell of 1 record."
        ),
    ),
    (
        known.ReservedUnconfirmed(allocator="torch 2.13.0 CUDACachingAllocator"),
        "Reserved bytes are modelled. The allocator rules (torch 2.13.0 CUDACachingAllocator, default "
        "settings) are confirmed on recorded traces of real cards; this model's own trace is not.",
    ),
    (
        known.CalibratedByRecords(records=2, with_desktop=True),
        (
            "CUDA context, driver reserve and cuDNN's part come from 2 measured records of "
            "this card, where shown. The memory of a desktop is a range measured on other "
            "machines."
        ),
    ),
    (
        known.CalibratedByRecords(records=1, with_desktop=False),
        (
            "CUDA context, driver reserve and cuDNN's part come from 1 measured record of "
            "this card, where shown."
        ),
    ),
    (
        known.BudgetReadHere(
            read_at=datetime(2026, 11, 30, 6, 20, tzinfo=UTC),
            driver_reserve_bytes=464 * 2**20,
            in_use_bytes=2**30,
        ),
        "Budget of this machine, as its driver reported it at 2026-11-30 06:20 UTC: 0.45 GiB kept by the "
        "driver, 1.00 GiB in use, which counts as the desktop. It does not report the CUDA context.",
    ),
    (
        known.RangesOfOtherMachines(with_desktop=True),
        (
            "Driver reserve, CUDA context and the memory of a desktop are ranges measured "
            "on other machines: this one may differ."
        ),
    ),
    (
        known.RangesOfOtherMachines(with_desktop=False),
        "Driver reserve and CUDA context are ranges measured on other machines: this one may differ.",
    ),
    (
        known.SpeedsAreCeilings(),
        "Speeds are upper limits, computed from the card's bandwidth and BF16 rate: a run is slower.",
    ),
    (
        known.ComputedElsewhere(device_kind="cpu", device="NVIDIA GeForce RTX 4070"),
        "Computed on the cpu: the figures are not those of NVIDIA GeForce RTX 4070.",
    ),
    (
        known.NotInCatalog(predicted=True),
        "This card is not in the catalog: its bandwidth and BF16 rate are not known, "
        "so no ceiling of speed is given.",
    ),
    (
        known.NotInCatalog(predicted=False),
        "This card is not in the catalog: its bandwidth and BF16 rate are not known, "
        "so no share of them is given.",
    ),
    (
        known.OtherPrograms(count=1, used_bytes=1_500_000_000),
        (
            "When the run began, 1 other program used the card and held 1.50 GB (1.40 "
            "GiB): less memory was available to the model."
        ),
    ),
    (
        known.OtherPrograms(count=3, used_bytes=None),
        "When the run began, 3 other programs used the card: less memory was available to the model.",
    ),
    (
        known.DisplayAttached(),
        "A display is connected to this card: the memory that it uses was not available to the model.",
    ),
    (
        known.PowerLimited(limit_w=120.0, default_w=200.0),
        "The power limit is 120 W, below the card's 200 W: at the default it may be faster.",
    ),
    (
        known.SampledWithGaps(count=1, cells=2, periods=5),
        "1 of 2 cells were sampled with gaps of over 5 periods: a sampled peak is weak.",
    ),
    (
        known.RecordsElsewhere(count=1, records=3),
        "1 of 3 records computed on another kind of device: their figures are left out.",
    ),
    (
        known.OtherProvenance(count=1, records=3),
        "1 of 3 records is of another provenance: the verdict does not use it.",
    ),
    (
        known.OtherProvenance(count=2, records=3),
        "2 of 3 records are of another provenance: the verdict does not use them.",
    ),
    (
        known.MachinesUnknown(),
        "Some records do not name their machine: several may come from the same machine.",
    ),
    (
        known.InSomeRecords(count=1, records=2, caveat=known.NothingRan()),
        "In 1 of 2 records: Predicted from the architecture: nothing was run.",
    ),
    (
        known.CellsOfRecords(records=2, caveat=SomeCells(code="cells_noisy", count=3, cells=8)),
        "3 of the 8 cells of 2 records vary strongly between repeats (marked noisy).",
    ),
    (
        known.PredictedForSystems(
            systems=(
                known.PredictedForSystem(os="linux", torch="2.14", kernels=("flash",), torch_here="2.13"),
                known.PredictedForSystem(os="windows", torch="2.13", kernels=("math",), torch_here=None),
            )
        ),
        "Predicted for Linux, torch 2.14: flash attention kernel; "
        "Windows, torch 2.13: math attention kernel. "
        "The installed torch is 2.13. "
        "On Windows, memory that does not fit moves to system memory: the run is slow instead of ending.",
    ),
    (known.MoreCaveats(count=3), "3 more caveats are in the reports of the single records."),
    *(
        (SomeCells(code=code, count=2, cells=48), f"2 of 48 cells {words}.")
        for code, words in {
            "cells_interrupted": "did not run because the run was interrupted; --resume runs them",
            "cells_beyond_time_budget": (
                "did not run because the time budget was used up; --resume runs them"
            ),
            "cells_pruned": "did not run because a smaller one ran out of memory",
            "cells_failed": "failed or passed the time limit, for a reason other than memory",
            "cells_retried": "failed at first; a later attempt is shown, and the record contains both",
            "cells_ran_other_kernels": "ran with other attention kernels than requested",
            "cells_stopped_early": "stopped before the requested number of tokens",
            "cells_noisy": "vary strongly between repeats (marked noisy)",
            "cells_contended": "shared the device with other work (marked contended)",
            "cells_throttled": "ran while the device slowed itself down (marked throttled)",
            "cells_spilled": "needed more memory than the card has and used system memory too "
            "(marked spilled)",
            "cells_too_close_to_call": (
                "are too close to call (likely fits, probably not): run them to find out"
            ),
            "cells_ran_same_kernels": "requested different attention and ran the same kernels: "
            "do not compare them with each other",
            "cells_read_slowly": "filled the card and read its memory far more slowly than the others, "
            "a sign that they used system memory too",
            "cells_ran_out_beside_another": "ran out of memory while another program computed on the card: "
            "they may fit without it",
            "cells_left_memory": "left memory in use on the card: less may have been available to the "
            "next one",
            "cells_lost_driver": "ended after the driver stopped answering: "
            "their memory and power figures are incomplete",
        }.items()
    ),
]


@pytest.mark.parametrize(("caveat", "words"), SENTENCES, ids=lambda value: getattr(value, "code", ""))
def test_each_caveat_has_its_sentence(caveat: Caveat, words: str) -> None:
    assert sentence(caveat) == words


def test_no_caveat_is_missing_from_the_table() -> None:
    assert {type(caveat) for caveat, _ in SENTENCES} == members(Caveat)
    codes = {caveat.code for caveat, _ in SENTENCES if isinstance(caveat, SomeCells)}
    assert codes == set(get_args(SomeCellsCode))
