"""A smaller card, played by a real one: the allocator's own limit."""

from pathlib import Path

import pytest
import torch

from bench.engines.native.cuda import fraction_of
from bench.hardware.budget import CONTEXT, driver_reserve
from bench.hardware.readings import DriverGpu
from bench.records.cell import Measured, OutOfMemory
from bench.records.enums import Attention, Phase, Provenance
from bench.store.record_files import read_record
from bench.units import GIB, MIB
from tests.gpu.runs import LONG, SHORT, Run, reserved_peak, run_on, suite_in
from tests.run.processes import bench, only

pytestmark = pytest.mark.gpu

SPENT = driver_reserve(0, "linux").typical_bytes + CONTEXT.typical_bytes


@pytest.fixture(scope="module")
def limit(free: Run) -> int:
    """With eager attention the short clip fits in it and the long one does not."""
    short, long = (reserved_peak(free.cell(clip_s, Attention.EAGER)) for clip_s in (SHORT, LONG))
    assert long - short > 100 * MIB
    return (short + long) // 2


@pytest.fixture(scope="module")
def emulated(
    limit: int,
    card: DriverGpu,
    model: Path,
    tmp_path_factory: pytest.TempPathFactory,
    home: Path,
) -> Run:
    folder = tmp_path_factory.mktemp("emulated")
    return run_on(card, model, folder, home, "--emulate-vram", str(limit + SPENT))


def test_the_record_says_which_card_was_played(emulated: Run, limit: int) -> None:
    assert emulated.record.provenance is Provenance.EMULATED
    assert emulated.record.emulation is not None
    assert emulated.record.emulation.limit_bytes == limit
    assert emulated.record.emulation.enforced_by == "CUDA caching allocator"


def test_out_of_memory_has_its_phase_and_its_bytes(emulated: Run, limit: int) -> None:
    outcome = emulated.cell(LONG, Attention.EAGER).outcome
    assert isinstance(outcome, OutOfMemory)
    assert outcome.phase in {Phase.ENCODE, Phase.PREFILL}
    assert outcome.requested_bytes is not None
    assert outcome.free_bytes is not None
    assert outcome.reserved_bytes is not None
    assert outcome.free_bytes + outcome.reserved_bytes <= limit
    assert outcome.free_bytes < outcome.requested_bytes


def test_the_next_cell_runs_on_a_card_that_is_as_it_was(emulated: Run) -> None:
    failed, following = emulated.cell(LONG, Attention.EAGER), emulated.cell(SHORT, Attention.SDPA)
    assert isinstance(following.outcome, Measured)
    assert following.cold is not None
    assert failed.device_memory is not None
    assert failed.device_memory.back_at_baseline is not False


def test_what_runs_stays_below_the_limit(emulated: Run, limit: int) -> None:
    assert isinstance(emulated.cell(SHORT, Attention.EAGER).outcome, Measured)
    assert all(reserved_peak(cell) <= limit for cell in emulated.measured())


def test_the_limit_holds_to_the_byte() -> None:
    """A block of 40 MiB is 40 MiB of the card: blocks above 10 MiB are multiples of 2 MiB."""
    torch.cuda.empty_cache()
    total = int(torch.cuda.get_device_properties(0).total_memory)
    enough = torch.cuda.memory_reserved(0) + 40 * MIB
    try:
        torch.cuda.set_per_process_memory_fraction(fraction_of(enough, total), 0)
        assert torch.empty(40 * MIB, dtype=torch.uint8, device="cuda:0").numel() == 40 * MIB
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(fraction_of(enough - 1, total), 0)
        with pytest.raises(torch.OutOfMemoryError, match=r"Tried to allocate 40\.00 MiB"):
            torch.empty(40 * MIB, dtype=torch.uint8, device="cuda:0")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, 0)
        torch.cuda.empty_cache()


def test_the_real_model_does_not_fit_8_gib(card: DriverGpu, tmp_path: Path, home: Path) -> None:
    if card.memory is not None and card.memory.total_bytes < 8 * GIB:
        pytest.skip("only a smaller card can be emulated")
    axes = ("--clip-seconds", "5", "--max-tokens", "4", "--attention", "sdpa")
    options = ("--suite", "quick", "--device", card.uuid, "--weights", "random", "--emulate-vram", "8GiB")
    ended = bench("run", *options, *axes, home=home, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "Does not fit" in ended.stdout
    (cell,) = read_record(only(tmp_path / "results", "*.json")).cells
    assert isinstance(cell.outcome, OutOfMemory)
    assert cell.outcome.phase is Phase.LOAD
    assert cell.outcome.reserved_bytes is not None
    assert 4 * GIB < cell.outcome.reserved_bytes <= 8 * GIB - SPENT


def test_the_frontier_of_a_small_card_lies_between_what_fits_and_what_does_not(
    limit: int, card: DriverGpu, model: Path, tmp_path: Path, home: Path
) -> None:
    suite = suite_in(tmp_path)
    line = ("--attention", "eager", "--max-tokens", "32", "--emulate-vram", str(limit + SPENT))
    given = ("--suite", str(suite), "--device", card.uuid, "--model", str(model), *line)
    ended = bench("frontier", *given, home=home, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    record = read_record(only(tmp_path / "results", "*.json"))
    fits = [cell.requested.clip_seconds for cell in record.cells if cell.outcome.status == "measured"]
    not_fits = [
        cell.requested.clip_seconds for cell in record.cells if cell.outcome.status == "out_of_memory"
    ]
    assert SHORT <= max(fits) < min(not_fits) <= LONG + 5
    assert min(not_fits) - max(fits) <= 5
