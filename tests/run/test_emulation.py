"""A smaller card, played: what is left of it, and real runs under its limit on the CPU."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.errors import UsageError
from bench.hardware.budget import CONTEXT, driver_reserve
from bench.hardware.device import Device
from bench.records.cell import CellResult, Measured, OutOfMemory, Skipped
from bench.records.enums import Phase, Provenance
from bench.records.record import Record
from bench.run.run_spec import emulation
from bench.store.record_files import read_record
from bench.units import GIB, MIB
from bench.weights.tiny import write_tiny_checkpoint
from tests.cli.conftest import journal_of
from tests.run.processes import bench, only, write_suite

SPENT = driver_reserve(0, "linux").typical_bytes + CONTEXT.typical_bytes
SHORT, LONG = 4.0, 12.0
CPU = Device("cpu", "cpu-some", "Some CPU", memory_total_bytes=64 * GIB)
CARD = Device("cuda", "rtx-4090", "NVIDIA GeForce RTX 4090", memory_total_bytes=24_564 * MIB)


# --- what is left of it -----------------------------------------------------------------------------------


def test_the_limit_is_what_reserve_and_context_leave() -> None:
    played = emulation(12_282 * MIB, CARD)
    assert played.limit_bytes + played.reserve_bytes + played.context_bytes == 12_282 * MIB
    assert played.limit_bytes == 12_282 * MIB - SPENT
    assert played.enforced_by == "CUDA caching allocator"
    assert emulation(12_282 * MIB, CPU).enforced_by == "allocation tracker"


@pytest.mark.parametrize("size", [1, SPENT])
def test_a_card_of_which_nothing_is_left_is_refused(size: int) -> None:
    with pytest.raises(UsageError, match="driver and CUDA context alone take"):
        emulation(size, CARD)
    assert emulation(SPENT + 1, CARD).limit_bytes == 1


def test_a_card_plays_no_larger_one() -> None:
    with pytest.raises(UsageError, match="RTX 4090 has"):
        emulation(24_564 * MIB + 1, CARD)
    assert emulation(24_564 * MIB, CARD).total_bytes == 24_564 * MIB


# --- real runs --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """A finished run in a folder of its own."""

    folder: Path
    record: Record
    said: str

    def cell(self, clip_s: float, tokens: int, attention: str = "sdpa") -> CellResult:
        """The only cell of this shape."""
        (cell,) = [
            cell
            for cell in self.record.cells
            if cell.requested.clip_seconds == clip_s
            and cell.requested.max_tokens == tokens
            and cell.requested.attention == attention
        ]
        return cell

    def peak(self, clip_s: float) -> int:
        """What this clip took of the framework's bytes."""
        summary = self.cell(clip_s, 4).summary
        assert summary is not None
        assert summary.allocated_peak_bytes is not None
        return summary.allocated_peak_bytes


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A person's own model: small, and no smoke test."""
    directory = tmp_path_factory.mktemp("models") / "my-model"
    write_tiny_checkpoint(directory)
    return directory


def run_on(checkpoint: Path, folder: Path, home: Path, *options: str, attention: str = '["sdpa"]') -> Run:
    suite = write_suite(folder, clips=f"[{SHORT}, {LONG}]", tokens="[4, 8]", attention=attention)
    given = ("--suite", str(suite), "--device", "cpu", "--model", str(checkpoint), *options)
    ended = bench("run", *given, home=home, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return Run(folder, read_record(only(folder / "results", "*.json")), ended.stdout)


@pytest.fixture(scope="module")
def free(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory, home: Path) -> Run:
    """The same without a limit, which tells what each clip takes."""
    return run_on(checkpoint, tmp_path_factory.mktemp("free"), home, "--max-tokens", "4")


def size_between(free: Run) -> int:
    """A card on which the short clip fits and the long one does not."""
    return (free.peak(SHORT) + free.peak(LONG)) // 2 + SPENT


@pytest.fixture(scope="module")
def emulated(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory, home: Path, free: Run) -> Run:
    options = ("--emulate-vram", str(size_between(free)))
    folder = tmp_path_factory.mktemp("emulated")
    return run_on(checkpoint, folder, home, *options, attention='["sdpa", "eager"]')


@pytest.mark.emulated
def test_the_record_says_which_card_was_played_and_how(emulated: Run, free: Run) -> None:
    assert emulated.record.provenance is Provenance.EMULATED
    assert emulated.record.emulation == emulation(size_between(free), CPU)
    assert free.record.emulation is None


@pytest.mark.emulated
def test_out_of_memory_has_its_phase_and_its_bytes(emulated: Run, free: Run) -> None:
    outcome = emulated.cell(LONG, 4).outcome
    assert isinstance(outcome, OutOfMemory)
    assert outcome.phase in set(Phase) - {Phase.LOAD}
    assert outcome.requested_bytes is not None
    assert outcome.free_bytes is not None
    limit = size_between(free) - SPENT
    weights = free.record.model.weights_bytes
    assert weights is not None
    assert outcome.free_bytes < outcome.requested_bytes < limit - weights
    assert 0 <= outcome.free_bytes < limit - weights
    assert outcome.reserved_bytes is None  # a CPU has no caching allocator
    assert "emulated card" in outcome.reason


@pytest.mark.emulated
def test_what_fits_takes_what_it_takes_without_a_limit(emulated: Run, free: Run) -> None:
    assert isinstance(emulated.cell(SHORT, 8).outcome, Measured)
    assert emulated.peak(SHORT) == free.peak(SHORT)


@pytest.mark.emulated
def test_larger_cells_are_skipped_and_another_attention_gets_a_worker_of_its_own(emulated: Run) -> None:
    pruned = emulated.cell(LONG, 8).outcome
    assert isinstance(pruned, Skipped)
    assert pruned.cause == "pruned"
    following = emulated.cell(SHORT, 4, "eager")
    assert isinstance(following.outcome, Measured)
    assert following.cold is not None  # a fresh worker that loaded the model


def check_of(folder: Path, home: Path) -> "dict[str, Any]":
    """The check.json of the one record below a folder."""
    ended = bench("report", "results", "--format", "json", home=home, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    check: dict[str, Any] = json.loads(only(folder / "reports", "*.check.json").read_text(encoding="utf-8"))
    return check


@pytest.mark.emulated
def test_check_json_has_the_frontier_and_never_a_cards_name(emulated: Run, home: Path) -> None:
    check = check_of(emulated.folder, home)
    assert check["provenance"] == "emulated"
    assert check["verdict"] not in {"unknown", "does_not_fit", "unsupported"}
    ends = {
        (point["attention"], point["max_tokens"]): (point["longest_fit_s"], point["smallest_misfit_s"])
        for point in check["frontier"]
    }
    assert ends["sdpa", 4] == ends["sdpa", 8] == (SHORT, LONG)
    assert {point["provenance"] for point in check["frontier"]} == {"emulated"}
    assert check["gpu"]["kind"] == "cpu"
    assert check["gpu"]["slug"] == emulated.record.device.slug
    assert check["gpu"]["slug"].startswith("cpu-")


@pytest.mark.emulated
def test_record_and_report_lie_below_the_cpus_name(emulated: Run) -> None:
    record, report = only(emulated.folder / "results", "*.json"), only(emulated.folder / "reports", "*.html")
    assert record.parent.name == report.parent.name == emulated.record.device.slug
    assert emulated.record.device.kind == "cpu"


@pytest.mark.emulated
def test_within_a_group_too_the_worker_is_replaced(
    checkpoint: Path, tmp_path: Path, home: Path, free: Run
) -> None:
    run = run_on(
        checkpoint,
        tmp_path,
        home,
        "--emulate-vram",
        str(size_between(free)),
        "--no-prune",
        "--clip-seconds",
        "12",
    )
    first, second = (run.cell(LONG, tokens).outcome for tokens in (4, 8))
    assert isinstance(first, OutOfMemory)
    assert isinstance(second, OutOfMemory)
    assert first.model_copy(update={"reason": ""}) == second.model_copy(update={"reason": ""})


@pytest.mark.emulated
def test_weights_that_do_not_fit_alone_are_known_without_loading_10_gb(tmp_path: Path, home: Path) -> None:
    axes = ("--clip-seconds", "5,10", "--max-tokens", "4", "--attention", "sdpa")
    options = ("--suite", "quick", "--device", "cpu", "--weights", "random", "--emulate-vram", "8GiB")
    ended = bench("run", *options, *axes, home=home, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    record = read_record(only(tmp_path / "results", "*.json"))
    outcome, pruned = (cell.outcome for cell in record.cells)
    assert isinstance(outcome, OutOfMemory)
    assert outcome.phase is Phase.LOAD
    assert (outcome.requested_bytes, outcome.free_bytes) == (10_445_641_472, 8 * GIB - SPENT)
    assert isinstance(pruned, Skipped)
    assert "Does not fit" in ended.stdout
    assert check_of(tmp_path, home)["verdict"] == "does_not_fit"


@pytest.fixture
def interrupted(emulated: Run, tmp_path: Path) -> Path:
    """As if the run had been killed after its first cell."""
    folder = tmp_path / "results"
    folder.mkdir()
    return journal_of(only(emulated.folder / "results", "*.json"), folder, done=1)


def resume(journal: Path, emulated: Run, checkpoint: Path, home: Path, *more: str) -> tuple[int, str]:
    suite = emulated.folder / "mine.toml"
    given = ("--suite", str(suite), "--device", "cpu", "--model", str(checkpoint), *more)
    ended = bench("run", "--resume", str(journal), *given, home=home, cwd=journal.parents[1])
    return ended.returncode, ended.stderr


@pytest.mark.emulated
def test_a_resumed_run_plays_the_same_card(
    interrupted: Path, emulated: Run, checkpoint: Path, home: Path
) -> None:
    code, said = resume(interrupted, emulated, checkpoint, home)
    assert code == 0, said
    record = read_record(only(interrupted.parent, "*.json"))
    assert record.emulation == emulated.record.emulation
    assert [cell.outcome for cell in record.cells] == [cell.outcome for cell in emulated.record.cells]


@pytest.mark.emulated
def test_a_resumed_run_plays_no_other_card(
    interrupted: Path, emulated: Run, checkpoint: Path, home: Path
) -> None:
    code, said = resume(interrupted, emulated, checkpoint, home, "--emulate-vram", "12282MiB")
    assert code == 2
    assert "the emulated card" in said
