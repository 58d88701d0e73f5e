"""Makes a folder of many records as strangers would send them, and measures `bench site build` of it.

    python -m tests.benchmarks.many_results --records 10000 --keys 500 /tmp/many

Nine of ten have two cells, one of ten has all 48 of the standard suite; the n-th card has a share of 1/n.
Few are built; the others are these, a little slower or faster: times, rates and energies by one factor each,
so that none repeats another, and each is as consistent as a real one. With `--keys` one of
so many keys signs each.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from bench.identity.envelope import sign
from bench.records.enums import Attention
from bench.store import naming
from bench.store.bundle import render_envelope
from bench.store.canonical import canonical, content_hash
from bench.store.record_files import read_record
from tests.identity.signers import signer
from tests.validate.good import good
from tests.validate.recipes import EIGHT, FOUR, Recipe

CARDS: Final = (
    *("rtx-4090", "rtx-3090", "rtx-4070-ti-super", "rtx-4080", "rtx-5090", "rtx-4060-ti-16gb", "rtx-5080"),
    *("rtx-5070-ti", "rtx-4080-super", "rtx-5060-ti-16gb", "rtx-4090-laptop", "l40s", "h100-sxm", "h200"),
)
_SPREAD: Final = 0.03
_MORE: Final = 97
"""Records that follow, in which every card has its share: each ninth of them is added alone, and measured."""
_STEP: Final = 9
_TIMES: Final = ("_s", "real_time_factor")
_RATES: Final = ("_per_s", "_fraction")


def main() -> None:
    """Make the folder, then time builds in processes of their own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--keys", type=int, default=0, help="0: unsigned")
    asked = parser.parse_args()
    results, begin = asked.folder / "results", time.perf_counter()
    size = sum(make(results, asked.records, keys=asked.keys))
    print(f"{asked.records} records, {size / 1e9:.2f} GB, made in {time.perf_counter() - begin:.0f} s")
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}", flush=True)
    reading = cost_of_reading(results, asked.records)
    print(f"reading every file, estimated from a sample: {reading:.0f} s of processor", flush=True)
    first = measure("first build", asked.folder)
    print(f"  {first / reading:.2f} times reading the files")
    measure("nothing new", asked.folder)
    for more in range(asked.records, asked.records + _MORE, _STEP):
        others = sum(card_of(nth) == card_of(more) for nth in range(asked.records))
        sum(make(results, more + 1, begin=more, keys=asked.keys))
        cells = 48 if more % 10 == 9 else 2
        measure(f"one record more, of {cells} cells, of a card with {others:,} others", asked.folder)
    public = sum(path.stat().st_size for path in (asked.folder / "public").rglob("*") if path.is_file())
    index = (asked.folder / "index.sqlite").stat().st_size
    print(f"site {public / 1e9:.2f} GB ({public / size:.2f} times the results), index {index / 1e6:.0f} MB")


def measure(what: str, folder: Path) -> float:
    """Print time, processor time and the largest process of a build; return the processor time."""
    command = (sys.executable, "-m", "bench", "site", "build", "results", "--out", "public")
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run((*command, "--index", "index.sqlite"), cwd=folder, check=True)
    took, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    most = after.ru_maxrss / 1024
    print(
        f"{what}: {took:.1f} s ({cpu:.1f} s of processor), largest process so far {most:.0f} MiB", flush=True
    )
    return cpu


def cost_of_reading(results: Path, records: int) -> float:
    """Return the processor time of reading all files, from every hundredth of each size."""
    paths = sorted(naming.records_below(results), key=lambda path: path.stat().st_size)
    chosen = paths[:: max(1, records // 100)]
    begin = time.process_time()
    for path in chosen:
        read_record(path)
    return (time.process_time() - begin) * len(paths) / len(chosen)


def make(results: Path, records: int, begin: int = 0, keys: int = 0) -> Iterator[int]:
    """Write the records and yield their sizes."""
    numbers = range(begin, records)
    if len(numbers) < 64:
        yield from map(partial(_write, results, keys), numbers)
        return
    with ProcessPoolExecutor() as pool:
        yield from pool.map(partial(_write, results, keys), numbers, chunksize=16)


def _write(results: Path, keys: int, nth: int) -> int:
    document = varied(nth)
    folder = naming.folder(results, document["model"]["name"], document["device"]["slug"])
    folder.mkdir(parents=True, exist_ok=True)
    content = render_envelope(sign(document, signer(nth % keys))) if keys else canonical(document)
    (folder / f"{nth:06d}{'.bundle' if keys else ''}.json").write_bytes(content)
    return len(content)


def varied(nth: int) -> dict[str, Any]:
    """Return the JSON of the n-th record."""
    document: dict[str, Any] = json.loads(_template(CARDS[card_of(nth)], nth % 10 == 9, nth % 5 == 4))
    factor = 1 + _SPREAD * ((nth * 0.6180339887498949) % 1 - 0.5)
    for cell in document["cells"]:
        _scale(cell, factor)
    document["record_id"] = f"{nth:012x}"
    document["machine_key"] = f"{nth // 3:032x}" if nth % 4 else None
    document["created_at"] = f"{datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=nth):%Y-%m-%dT%H:%M:%SZ}"
    document["content_hash"] = content_hash(document)
    return document


def card_of(nth: int) -> int:
    """Return the place of the n-th record's card in `CARDS`."""
    return next(card for card in range(len(CARDS)) if nth % 97 < _until(card))


def _until(card: int) -> float:
    """Return the place, of 97, up to which records are of a card or a commoner one."""
    shares = [1 / nth for nth in range(1, len(CARDS) + 1)]
    return 97 * sum(shares[: card + 1]) / sum(shares) + (card == len(CARDS) - 1)


@cache
def _template(card: str, is_whole: bool, is_large: bool) -> str:
    """Return the JSON of a record that was built."""
    model = EIGHT if is_large and card in {"h100-sxm", "h200", "l40s", "rtx-5090"} else FOUR
    recipe = Recipe(card=card, model=model, suite="standard" if is_whole else "quick")
    if not is_whole:
        recipe = Recipe(card=card, model=model, clips=(10.0,), tokens=(64, 128), attention=(Attention.SDPA,))
    return good(recipe).model_dump_json()


def _scale(value: Any, factor: float, name: str = "") -> None:
    """Scale every time, rate and energy below a value, in place."""
    for key, each in value.items() if isinstance(value, dict) else ():
        if key in {"requested", "work", "device_memory", "sampler", "effective", "memory"}:
            continue
        own = key if key not in {"median", "p10", "p90", "low", "high", "interval"} else name
        if isinstance(each, float):
            value[key] = each * _factor(own, factor)
        elif key == "token_times_s" and each is not None:
            value[key] = [round(time_s * factor, 6) for time_s in each]
        elif key == "energies_j":
            value[key] = [energy * factor for energy in each]
        elif isinstance(each, list):
            for one in each:
                _scale(one, factor, own)
        else:
            _scale(each, factor, own)


def _factor(name: str, factor: float) -> float:
    if name.endswith(_RATES):
        return 1 / factor
    return factor if name.endswith(_TIMES) or name.startswith("energy") else 1.0


if __name__ == "__main__":
    main()
