"""Sends many bundles to a real server that is killed in between, and counts what came back.

    make load

Each client has an address of its own, as behind a proxy on the server's computer.
"""

import json
import os
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import quantiles
from typing import Final

import httpx2

from bench.identity.envelope import sign
from bench.receiver.checkpoint import verify_log
from bench.store.bundle import render_envelope
from tests.benchmarks.many_results import varied
from tests.identity.signers import signer
from tests.receiver.ports import free_port
from tests.run.processes import started, wait_for_line

HEADERS: Final = {"content-type": "application/json"}
_KEYS: Final = 500


def made(nth: int) -> bytes:
    """Return the n-th bundle, of two cells (about 40 kB)."""
    return render_envelope(sign(varied(nth * 10), signer(nth % _KEYS)))


@dataclass
class Sent:
    """What clients saw. `ids`: of every 201 and 200, by the number of the bundle.

    `peak_bytes`: the most memory of a server.
    """

    ids: dict[int, str] = field(default_factory=dict)
    waits_s: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    took_s: float = 0.0
    peak_bytes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class Load:
    """A load: so many submissions by so many clients; the server is killed after each share of them."""

    submissions: int
    clients: int
    kill_after: tuple[float, ...] = (0.3, 0.6)


def run_load(folder: Path, database_url: str, load: Load) -> Sent:
    """Send all bundles, kill the server in between, and check what is there afterwards."""
    with ProcessPoolExecutor() as pool:
        bundles = list(pool.map(made, range(load.submissions), chunksize=16))
    port, sent, numbers = free_port(), Sent(), count()
    serve = ("site", "serve", "--folder", "served", "--database", database_url, "--port", str(port))
    stops = [*(round(share * load.submissions) for share in load.kill_after), load.submissions]
    url, begin = f"http://127.0.0.1:{port}", time.perf_counter()
    with ThreadPoolExecutor(load.clients) as clients:
        done = [clients.submit(_client, nth, url, numbers, bundles, sent) for nth in range(load.clients)]
        for stop in stops:
            with started(*serve, home=folder / "server", cwd=folder) as server:
                wait_for_line(server, "Ctrl-C stops")
                reading = threading.Thread(target=_drain, args=(server.stderr,))
                reading.start()
                while len(sent.ids) + len(sent.refused) < stop and not all(one.done() for one in done):
                    time.sleep(0.05)
                if stop == load.submissions:
                    for one in done:
                        one.result()
                    sent.took_s = time.perf_counter() - begin
                    _check(url, sent)
                sent.peak_bytes = max(sent.peak_bytes, peak_bytes_of(server.pid))
                server.kill()
                server.wait()
                reading.join()
    return sent


def peak_bytes_of(pid: int) -> int:
    """Return the most memory that a process had; 0 where /proc does not say."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _drain(stream: "object") -> None:
    for _ in stream:  # type: ignore[attr-defined]
        pass


def _client(nth: int, url: str, numbers: "count[int]", bundles: list[bytes], sent: Sent) -> None:
    headers = HEADERS | {"x-forwarded-for": f"198.51.100.{nth}"}
    with httpx2.Client(base_url=url, headers=headers, timeout=30) as client:
        while (number := next(numbers)) < len(bundles):
            _send(client, number, bundles[number], sent)


def _send(client: httpx2.Client, number: int, content: bytes, sent: Sent) -> None:
    """Send a bundle until it is answered, as bench submit does."""
    while True:
        begin = time.perf_counter()
        try:
            answer = client.post(
                "/api/submissions", content=content, headers={"idempotency-key": f"n{number}"}
            )
        except httpx2.TransportError:  # killed
            time.sleep(0.1)
            continue
        if answer.status_code in {429, 503}:
            time.sleep(float(answer.headers["retry-after"]) / 10)
            continue
        with sent.lock:
            sent.waits_s.append(time.perf_counter() - begin)
            if answer.is_success:
                sent.ids[number] = answer.json()["id"]
            else:
                sent.refused.append(f"{number}: {answer.status_code} {answer.text[:200]}")
        return


def _check(url: str, sent: Sent) -> None:
    """Every id that was promised is there, none twice, and the log verifies."""
    with httpx2.Client(base_url=url, timeout=120) as client:
        missing = [
            each for each in sent.ids.values() if client.get(f"/api/submissions/{each}").status_code != 200
        ]
        assert not missing, missing[:5]
        lines = client.get("/api/log").text.splitlines()
    assert len(set(sent.ids.values())) == len(sent.ids)
    assert verify_log(lines).size == len(lines)
    received = [line for line in map(json.loads, lines) if line["event"] == "received"]
    assert len(received) == len({line["subject"] for line in received}) == len(sent.ids)


def figures(sent: Sent) -> str:
    """Return the rate, the waits and the memory of a load as lines."""
    (p50,), p99 = quantiles(sent.waits_s, n=2), quantiles(sent.waits_s, n=100)[98]
    return (
        f"{len(sent.ids)} stored, {len(sent.refused)} refused in {sent.took_s:.0f} s: "
        f"{len(sent.ids) / sent.took_s:.1f} a second\n"
        f"p50 {p50:.3f} s, p99 {p99:.3f} s, longest {max(sent.waits_s):.3f} s\n"
        f"at most {sent.peak_bytes / 2**20:.0f} MiB of the server; load average {os.getloadavg()[0]:.1f}"
    )
