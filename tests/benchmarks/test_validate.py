"""What validating a record or a bundle costs, as a multiple of reading it: both in turn, in one process."""

from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import process_time

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.records.enums import Attention
from bench.store.record_files import read_record, write_record
from bench.validate.files import judge
from tests.identity.signers import bundled
from tests.validate.good import good
from tests.validate.recipes import Recipe

MOST: float = 1.5
TWO = Recipe(card="rtx-4090", clips=(10.0,), tokens=(128, 512), attention=(Attention.SDPA,))
FORTY_EIGHT = Recipe(card="rtx-4090", suite="standard")


@pytest.mark.parametrize("kind", ["record", "bundle"])
@pytest.mark.parametrize(("recipe", "cells"), [(TWO, 2), (FORTY_EIGHT, 48)], ids=["2 cells", "48 cells"])
def test_validating_costs_at_most_half_as_much_again(
    benchmark: BenchmarkFixture, tmp_path: Path, recipe: Recipe, cells: int, kind: str
) -> None:
    record, path, now = good(recipe), tmp_path / f"{kind}.json", datetime.now(UTC)
    assert len(record.cells) == cells
    if kind == "record":
        write_record(record, path)
    else:
        path.write_bytes(bundled(record))
    ratios: list[float] = []

    def once() -> None:
        begin = process_time()
        read_record(path)
        middle = process_time()
        judge(path, now)
        ratios.append((process_time() - middle) / (middle - begin))

    benchmark.pedantic(once, rounds=21, iterations=1, warmup_rounds=2)  # type: ignore[no-untyped-call]
    print(f"\n{kind} of {cells} cells: validating is {median(ratios):.2f} times reading")
    assert median(ratios) <= MOST
