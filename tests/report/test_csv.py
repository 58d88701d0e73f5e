"""CSV for spreadsheets and data frames."""

import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.columns import COLUMNS
from bench.report.csv import neutral, render
from bench.report.view import view_of
from tests.samples import cards
from tests.samples import records as sample


def read(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text))


def test_one_row_per_cell_with_the_names_of_the_contract() -> None:
    table = read(render(view_of(sample.standard())))
    assert len(table) == 48
    assert {column.name for column in COLUMNS} <= set(table.columns)
    assert set(table["provenance"]) == {"measured"}
    assert set(table["weight_mode"]) == {"hub"}


def test_values_survive_and_missing_ones_are_empty_not_zero() -> None:
    table = read(render(view_of(sample.standard())))
    assert table["process_peak_bytes"].max() == sample.peak_bytes(sample.requested(600.0, 256)) + 520_000_000
    assert table.loc[table["status"] == "failed", "latency_s"].isna().all()
    assert "12704041472.0" not in render(view_of(sample.standard()))


def test_an_empty_record_is_a_header() -> None:
    text = render(view_of(sample.record([])))
    assert text.count("\n") == 1
    assert text.startswith("record_id,")


def test_no_field_of_a_hostile_record_is_a_formula() -> None:
    table = read(render(view_of(sample.hostile())))
    for column in ("model", "device", "reason", "labels"):
        for value in table[column].dropna():
            assert not str(value).startswith(("=", "+", "-", "@"))
    assert "'=HYPERLINK(1)" in set(table["reason"])


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
@given(rest=st.text(max_size=20))
def test_formulas_become_text(start: str, rest: str) -> None:
    assert neutral(start + rest) == f"'{start}{rest}"


def test_ordinary_text_is_left_alone() -> None:
    assert neutral("NVIDIA GeForce RTX 4070") == "NVIDIA GeForce RTX 4070"


def test_what_the_driver_told_is_in_columns() -> None:
    table = read(render(view_of(cards.rtx_4070())))
    first = table.iloc[0]
    assert (first["power_w"], first["power_w_low"], first["power_w_high"]) == (182.5, 96.0, 200.3)
    assert (first["samples"], first["sample_period_s"], first["largest_gap_s"]) == (812, 0.02, 0.041)
    assert first["context_bytes"] == cards.CONTEXT
    assert first["fits_with_desktop"]
    assert table.loc[table["status"] == "out_of_memory", "needed_bytes"].isna().all()
    assert table["same_kernels_as"].notna().sum() == 4
