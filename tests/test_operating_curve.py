"""The tools behind the operating curve: what they count, and that the slower build is slower by real work."""

import json
import lzma
import subprocess
from pathlib import Path

import pytest

from tools import operating_curve as curve
from tools.slowdown import environment

ROOT = Path(__file__).parent.parent


def line(share: float, block: int, base: float, new: float) -> str:
    wobble = (1.0, 1.002, 0.998, 1.001, 0.999, 1.0005)
    sides = {
        name: {metric: [level * factor for factor in wobble] for metric in curve.METRICS}
        for name, level in (("base", base), ("new", new))
    }
    head = {"stream": "t", "turns": "generation", "block": block, "share": share, "pair": 1, "at": ""}
    return json.dumps(head | sides) + "\n"


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Processes that drift by a factor of two, always both of a pair; the second loses its share."""
    drift = (100.0, 200.0, 150.0, 120.0, 101.0, 160.0, 130.0, 180.0) * 5
    lines = [
        line(share, n // curve.BLOCK, rate, rate / (1 + share) * (1.01 if n % 2 else 0.99))
        for share in (0.0, 0.1)
        for n, rate in enumerate(drift)
    ]
    cut_short = line(0.0, 99, 1.0, 100.0)
    data = tmp_path / "operating-curve.jsonl.xz"
    # The last pair was appended, as `collect` does.
    data.write_bytes(lzma.compress("".join(lines).encode()) + lzma.compress(cut_short.encode()))
    monkeypatch.setattr(curve, "DATA", data)
    return tmp_path


def test_pairs_are_told_apart_where_single_records_are_not(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curve, "COMPARISONS", 100)
    table = curve.compute()
    assert "`decode_tokens_per_s:-5%`, 80 pairs" in table  # a block that was cut short is not counted
    rows = {row.split(" | ")[0].strip("| "): row for row in table.splitlines() if row.startswith("| ")}
    for rule in ("8 pairs", "`--interleave`, which ends by itself"):
        assert rows[rule].endswith("| 0.0 (0.0) | 100.0 (0.0) |")
    assert rows["10.0% added"].endswith("| 8 | 8 |")  # so many pairs were enough
    alarms = float(rows["two records, a bare threshold"].split("|")[2].split()[0])
    assert alarms > 30


def test_the_table_is_written_between_its_marks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n" + "\nold\n".join(curve.MARKS) + "\nafter\n")
    monkeypatch.setattr(curve, "PAGE", page)
    curve.write("| new |\n")
    assert page.read_text() == f"before\n{curve.MARKS[0]}\n| new |\n{curve.MARKS[1]}\nafter\n"
    assert all(mark in (ROOT / "docs" / "comparing.md").read_text() for mark in curve.MARKS)


def test_every_step_of_the_slower_build_is_followed_by_work(tmp_path: Path) -> None:
    made = environment(tmp_path / "slower", 0.25, ROOT)
    code = (
        "import bench, bench_slowdown as s; from bench.engines.native.engine import NativeEngine as E; "
        "print(bench.__file__, s.SHARE, E.generate.__module__)"
    )
    answer = subprocess.run(
        [made / "bin" / "python", "-P", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert answer.stdout.split() == [str(ROOT / "bench" / "__init__.py"), "0.25", "bench_slowdown"]
