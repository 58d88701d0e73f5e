"""How often intervals hold the true value: the tables of docs/comparing.md, simulated again in full."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tools import interval_coverage


def test_the_tables_are_those_of_the_docs(
    benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = benchmark.pedantic(interval_coverage.tables)  # type: ignore[no-untyped-call]
    with capsys.disabled():
        print(f"\n{tables}")
    assert tables in interval_coverage.PAGE.read_text(encoding="utf-8")
