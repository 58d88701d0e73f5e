"""Makes a folder of many sealed records, and measures `bench report` of it: indexed, merged, one more.

    python -m tests.benchmarks.many_records --records 10000 --repeats 5 /tmp/many

Every record has 48 cells that ran, with the time of each token. Three cards, four machines each and some
that do not name theirs, three sets of software; speeds differ by a few per cent between records.
"""

import argparse
import hashlib
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bench.records.cell import CellResult, Requested
from bench.records.enums import Attention
from bench.records.record import DeviceInfo
from bench.store.canonical import canonical
from tests.samples import cards
from tests.samples import records as sample

CLIPS: Final = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
TOKENS: Final = (128, 256, 512, 1024)
SLUGS: Final = ("rtx-4070", "rtx-4090", "rtx-3060-12gb")
SPEEDS: Final = (0.97, 0.99, 1.0, 1.02, 1.05)
MACHINES: Final = 4
_ID: Final = "f" * 12
_KEY: Final = "e" * 64
_DATE: Final = "2026-11-20T18:04:09Z"


def main() -> None:
    """Make the folder, then time three runs in processes of their own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--keep", action="store_true", help="leave the records there")
    asked = parser.parse_args()
    begin = time.perf_counter()
    size = sum(make(asked.folder / "records", asked.records, asked.repeats))
    print(f"{asked.records} records, {size / 1e9:.2f} GB, made in {time.perf_counter() - begin:.0f} s")
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    measure("first run: every record read, checked and merged", asked.folder)
    measure("second run: every file looked at, merged from the index", asked.folder)
    sum(make(asked.folder / "records", asked.records + 1, asked.repeats, begin=asked.records))
    measure("third run: one record more", asked.folder)
    index = asked.folder / "index.sqlite"
    print(f"index {index.stat().st_size / 1e6:.0f} MB")
    if not asked.keep:
        shutil.rmtree(asked.folder)


def measure(what: str, folder: Path) -> None:
    """Time, processor time and the largest process of one `bench report` in two formats."""
    command = [sys.executable, "-m", "bench", "report", "records", "--index", "index.sqlite"]
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*command, "--format", "json,md"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    took, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"{what}: {took:.1f} s ({cpu:.1f} s of processor), largest process {after.ru_maxrss / 1024:.0f} MiB"
    )


def make(folder: Path, records: int, repeats: int, begin: int = 0) -> Iterator[int]:
    """Write the records and yield their sizes. Few are built; the others differ in id, date and machine."""
    kinds = [_template(slug, speed, repeats) for slug in SLUGS for speed in SPEEDS]
    for nth in range(begin, records):
        path = folder / f"{nth % 100:02d}" / f"{nth:06d}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_sealed(kinds[nth % len(kinds)], nth))
        yield path.stat().st_size


def _template(slug: str, speed: float, repeats: int) -> bytes:
    """The canonical form of a record, without its hash, with marks where records differ."""
    device = cards.RTX_4070.model_copy(update={"slug": slug, "name": f"NVIDIA GeForce {slug}"})
    wants = [
        sample.requested(clip, tokens, attention)
        for attention in (Attention.SDPA, Attention.FLASH_ATTENTION_2)
        for clip in CLIPS
        for tokens in TOKENS
    ]
    cells = [_cell(want, device, speed, repeats) for want in wants]
    record = cards.with_card(cells, device=device).model_copy(update={"record_id": _ID, "machine_key": _KEY})
    document = record.model_dump(mode="json")
    del document["content_hash"]
    return canonical(document)


def _cell(want: Requested, device: DeviceInfo, speed: float, repeats: int) -> CellResult:
    """`repeats` generations on a card that is so much faster, with all that its driver tells."""
    timed = tuple(sample.repeat(want, nth, 1 / speed) for nth in range(repeats))
    ran = cards.with_kernels(sample.measured(want), want.attention.value)
    summary = sample.summary(want, timed, device)
    return cards.on_card(ran.model_copy(update={"repeats": timed, "summary": summary}), device)


def _sealed(template: bytes, nth: int) -> bytes:
    """One record: its marks replaced, and its hash where the canonical form has it, between two keys."""
    date = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=nth)
    machine = f'"{nth % MACHINES:064x}"' if nth % 10 else "null"
    text = (
        template.replace(_ID.encode(), f"{nth:012x}".encode())
        .replace(f'"{_KEY}"'.encode(), machine.encode())
        .replace(_DATE.encode(), f"{date:%Y-%m-%dT%H:%M:%SZ}".encode())
    )
    seal = f'{{"content_hash":"sha256:{hashlib.sha256(text).hexdigest()}",'.encode()
    return seal + text[1:]


if __name__ == "__main__":
    main()
