"""What a site costs: relative to reading its records, with nothing new, and with one record more."""

import resource
from os import times
from pathlib import Path
from time import process_time

from pytest_benchmark.fixture import BenchmarkFixture

from bench.store import naming
from bench.store.record_files import read_record
from tests.benchmarks.many_results import make
from tests.site.results import built

RECORDS = 300
MOST_S = 3.0
MOST_BYTES = 10**9


def test_a_site_of_some_hundred_records(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """`python -m tests.benchmarks.many_results` does the same with ten thousand, in processes of its own."""
    results, out, index = tmp_path / "results", tmp_path / "public", tmp_path / "index.sqlite"
    size = sum(make(results, RECORDS))
    begin = process_time()
    for path in naming.records_below(results):
        read_record(path)
    reading_s = process_time() - begin

    def seconds() -> float:
        began = sum(times()[:4])  # with that of the processes that read
        built(results, out, index)
        return sum(times()[:4]) - began

    first_s = seconds()
    sum(make(results, RECORDS + 1, begin=RECORDS))
    more_s = benchmark.pedantic(seconds, rounds=1, iterations=1)  # type: ignore[no-untyped-call]
    public = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(f"\n{RECORDS} records, {size / 1e6:.0f} MB: first build {first_s / reading_s:.1f} times reading, ")
    print(f"one record more {more_s:.2f} s of processor, site {public / size:.2f} times the results")
    assert more_s < MOST_S
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 < MOST_BYTES
