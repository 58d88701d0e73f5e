"""Tables as Parquet and CSV."""

import io

import pandas as pd
import pytest

from bench.records.metrics import FIGURES
from bench.site import tables
from bench.site.tables import CELLS, RECORDS, cell_row, record_row
from tests.site.entries import cells, entry
from tests.site.results import run

RUN = entry(run(1))


def test_a_row_has_a_value_for_each_column() -> None:
    assert len(record_row(RUN)) == len(RECORDS)
    assert {len(cell_row(RUN, cell)) for cell in cells(run(1))} == {len(CELLS)}
    names = [column.name for column in CELLS]
    assert len(set(names)) == len(names)
    assert FIGURES.keys() <= set(names)


def test_parquet_and_csv_say_what_the_record_says() -> None:
    rows = [cell_row(RUN, cell) for cell in cells(run(1))]
    table = tables.table(CELLS, rows)
    parquet = pd.read_parquet(io.BytesIO(tables.parquet(table)))
    csv = pd.read_csv(io.BytesIO(tables.csv(table)))
    summary = run(1).cells[0].summary
    assert summary is not None
    assert summary.latency_s is not None
    for found in (parquet, csv):
        assert list(found.columns) == [column.name for column in CELLS]
        assert found["latency_s"][0] == pytest.approx(summary.latency_s.median, rel=1e-5)
        assert found["reserved_peak_bytes"][0] == summary.reserved_peak_bytes


def test_the_same_rows_give_the_same_bytes_through_the_cache() -> None:
    row = record_row(RUN)
    once = tables.table(RECORDS, [row, row])
    kept = tables.packed(tables.table(RECORDS, [row]))
    joined, csv = tables.joined(RECORDS, [kept, kept])
    assert tables.parquet(joined) == tables.parquet(once)
    assert csv == tables.csv(once)


def test_no_rows_are_a_table_too() -> None:
    table, csv = tables.joined(CELLS, [])
    assert pd.read_parquet(io.BytesIO(tables.parquet(table))).empty
    assert pd.read_csv(io.BytesIO(csv)).empty


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "=cmd|' /C calc'!A0", "\n=1+1"])
def test_no_text_is_a_formula_in_csv(text: str) -> None:
    head = RUN.head.model_copy(update={"suite": text})
    table = tables.table(RECORDS, [record_row(RUN.model_copy(update={"head": head}))])
    assert pd.read_csv(io.BytesIO(tables.csv(table)))["suite"][0] == f"'{text}"
    assert pd.read_parquet(io.BytesIO(tables.parquet(table)))["suite"][0] == text


def test_an_integer_beyond_64_bits_is_not_available() -> None:
    device = RUN.head.device.model_copy(update={"memory_total_bytes": 10**30})
    head = RUN.head.model_copy(update={"device": device})
    table = tables.table(RECORDS, [record_row(RUN.model_copy(update={"head": head}))])
    assert table.column("memory_total_bytes").to_pylist() == [None]
