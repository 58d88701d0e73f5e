"""Real `bench run` processes on a real card."""

from dataclasses import dataclass
from pathlib import Path

from bench.hardware.readings import DriverGpu
from bench.records.cell import CellResult, Memory
from bench.records.enums import Attention
from bench.records.record import Record
from bench.store.record_files import read_record
from tests.run.processes import bench, only, write_suite

SHORT, LONG = 2.0, 300.0
"""Eager attention over 300 s takes hundreds of MB in the small model too: matrices of 3,800 x 3,800."""


@dataclass(frozen=True)
class Run:
    """A finished run in a folder of its own, and what it printed."""

    folder: Path
    record: Record
    said: str

    def cell(self, clip_s: float, attention: Attention) -> CellResult:
        """The only cell of this shape."""
        (found,) = [
            cell
            for cell in self.record.cells
            if (cell.requested.clip_seconds, cell.requested.attention) == (clip_s, attention)
        ]
        return found

    def measured(self) -> list[CellResult]:
        """The cells that ran: never none."""
        ran = [cell for cell in self.record.cells if cell.outcome.status == "measured"]
        assert ran, [cell.outcome for cell in self.record.cells]
        return ran


def suite_in(folder: Path) -> Path:
    """A suite in bfloat16, as the real model runs; eager first, so that what it leaves would show in sdpa."""
    every = '["eager", "sdpa", "flash_attention_2"]'
    path = write_suite(folder, clips=f"[{SHORT}, {LONG}]", tokens="[32]", attention=every, repeats=3)
    path.write_text(path.read_text(encoding="utf-8").replace("float32", "bfloat16"), encoding="utf-8")
    return path


def run_on(card: DriverGpu, model: Path, folder: Path, home: Path, *options: str) -> Run:
    """Run the suite of these tests on this card."""
    given = ("--suite", str(suite_in(folder)), "--device", card.uuid, "--model", str(model), *options)
    ended = bench("run", *given, home=home, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return Run(folder, read_record(only(folder / "results", "*.json")), ended.stdout)


def memory_of(cell: CellResult) -> Memory:
    """Its memory, which every measured cell has."""
    assert cell.memory is not None
    return cell.memory


def reserved_peak(cell: CellResult) -> int:
    """What the allocator took of the card for this cell."""
    assert cell.summary is not None
    assert cell.summary.reserved_peak_bytes is not None
    return cell.summary.reserved_peak_bytes
