"""The real thing: 4B parameters with random weights on this machine's CPU, through the whole command."""

from pathlib import Path

import pytest

from bench.records.enums import Phase, Provenance, WeightMode
from bench.store.record_files import read_record
from bench.units import GIB
from tests.run.processes import bench, only


@pytest.mark.full_size
def test_the_quick_suite_runs_the_real_architecture_within_24_gib(tmp_path: Path, home: Path) -> None:
    axes = ["--clip-seconds", "5", "--max-tokens", "4", "--attention", "sdpa", "--repeats", "1"]
    ended = bench(
        "run",
        "--suite",
        "quick",
        "--device",
        "cpu",
        "--weights",
        "random",
        *axes,
        home=home,
        cwd=tmp_path,
        timeout=900,
    )
    assert ended.returncode == 0, ended.stderr
    assert "random weights" in ended.stdout.splitlines()[0]
    record = read_record(only(tmp_path / "results", "*.json"))
    assert record.provenance is Provenance.MEASURED
    assert record.model.weight_mode is WeightMode.RANDOM
    assert record.model.parameters == 5_222_820_736
    assert record.model.weights_bytes == 10_445_641_472
    (cell,) = record.cells
    assert cell.effective is not None
    parts = (cell.effective.language_model, cell.effective.audio_encoder)
    assert [part and part.attention for part in parts] == ["sdpa", "eager"]
    assert cell.memory is not None
    assert cell.memory.weights_bytes == 10_445_641_472
    peaks = [phase.resident_peak_bytes for phase in cell.memory.phases.values()]
    # The weights once, and little beside them: never twice, in loading neither.
    assert all(peak is not None and 9.72 * GIB < peak < 13 * GIB for peak in peaks)
    allocated = cell.memory.phases[Phase.PREFILL].allocated_peak_bytes
    assert allocated is not None
    assert allocated > record.model.weights_bytes
