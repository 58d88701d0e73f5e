"""Many clients at once, and a server that is killed in between: every promise holds."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import httpx2
import pytest

from bench.records.submission import MOST_BYTES
from tests.benchmarks.receiver_load import HEADERS, Load, figures, peak_bytes_of, run_load
from tests.identity.signers import signed_payload
from tests.receiver.ports import free_port
from tests.run.processes import NEEDS_SIGNALS, started, wait_for_line

SUBMISSIONS: Final = int(os.environ.get("LOAD_SUBMISSIONS", "1000"))


@NEEDS_SIGNALS
@pytest.mark.servers
@pytest.mark.timeout(3600)
def test_every_stored_bundle_is_there_after_kill_9_and_none_twice(
    tmp_path: Path, served_folder: Path, database_url: str
) -> None:
    del served_folder  # it is where the server looks
    sent = run_load(tmp_path, database_url, Load(SUBMISSIONS, clients=50))
    sys.stderr.write(f"\n{database_url.partition(':')[0]}: {figures(sent)}\n")  # make load shows it
    assert sent.refused == []
    assert len(sent.ids) == SUBMISSIONS


@NEEDS_SIGNALS
@pytest.mark.servers
def test_many_large_bodies_at_once_need_bounded_memory(tmp_path: Path, served_folder: Path) -> None:
    """Each of these has a million lists: 90 MiB while it is judged."""
    content = signed_payload(b"[" + b"[]," * 999_000 + b"[]]")
    assert 0.9 * MOST_BYTES < len(content) <= MOST_BYTES
    port = free_port()
    serve = ("site", "serve", "--folder", str(served_folder), "--port", str(port))
    with started(*serve, home=tmp_path / "server", cwd=tmp_path) as server:
        wait_for_line(server, "Ctrl-C stops")

        def send(_: int) -> int:
            url = f"http://127.0.0.1:{port}/api/submissions"
            return httpx2.post(url, content=content, headers=HEADERS, timeout=120).status_code

        with ThreadPoolExecutor(40) as clients:
            assert list(clients.map(send, range(40))) == [422] * 40
        assert peak_bytes_of(server.pid) < 1.5 * 2**30
