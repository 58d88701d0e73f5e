"""The server as a process: whom it believes the address of a client."""

from pathlib import Path

import httpx2
import pytest

from bench.receiver.http.server import OF_ADDRESS
from tests.receiver.ports import free_port
from tests.run.processes import NEEDS_SIGNALS, started, wait_for_line


@NEEDS_SIGNALS
@pytest.mark.servers
@pytest.mark.parametrize(
    ("proxy", "last"), [("127.0.0.1", 422), ("127.0.0.0/8", 422), ("192.0.2.7,2001:db8::/32", 429)]
)
def test_only_a_proxy_that_is_named_states_the_address_of_a_client(
    served_folder: Path, tmp_path: Path, proxy: str, last: int
) -> None:
    """Behind one address that is not believed, all clients share its limit."""
    port = str(free_port())
    words = ("site", "serve", "--folder", str(served_folder), "--port", port, "--trust-proxy", proxy)
    with started(*words, home=tmp_path, cwd=tmp_path) as server:
        wait_for_line(server, "Ctrl-C stops")
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
            for nth in range(OF_ADDRESS.burst + 10):
                headers = {"content-type": "application/json", "x-forwarded-for": f"198.51.100.{nth}"}
                answer = client.post("/api/submissions", content=b"{}", headers=headers)
    assert answer.status_code == last
