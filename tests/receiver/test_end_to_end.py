"""From a run here to a page of a site and away again: real commands, a real server, a real browser."""

import json
import shutil
import signal
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page

from bench.receiver.ledger import Event
from bench.site import places
from tests.identity.signers import bundled
from tests.receiver.ports import free_port
from tests.run.processes import NEEDS_SIGNALS, bench, only, started, wait_for_line
from tests.site.results import sealed
from tools.picture import chromium

BUILT = "the site was built"
TOKEN = {"authorization": "Bearer a-token-of-the-tests-0123456789abcdef"}
JSON = {"content-type": "application/json"}


def opened(page: Page, url: str, path: str) -> str:
    """Open a page of the site, and return its words."""
    page.goto(f"{url}/{path.removesuffix('index.html')}")
    return page.locator("main").inner_text()


@NEEDS_SIGNALS
@pytest.mark.servers
def test_a_run_is_sent_shown_withdrawn_and_deleted(
    tmp_path: Path,
    served_folder: Path,
    finished_run: tuple[Path, str, str],
    database_url: str,
) -> None:
    record = Path(shutil.copy(only(finished_run[0] / "results", "*.json"), tmp_path / "mine.json"))
    document = json.loads(record.read_text(encoding="utf-8"))
    card = places.card_page(document["model"]["name"], document["device"]["slug"])
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    database = {"BENCH_DATABASE": database_url}
    serve = ("site", "serve", "--folder", str(served_folder), "--port", str(port))
    serving = database | {"BENCH_MODERATION_TOKEN": TOKEN["authorization"].removeprefix("Bearer ")}

    def said(*words: str) -> str:
        ended = bench(*words, home=tmp_path / "user", cwd=tmp_path, env=database)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    with (
        started(*serve, home=tmp_path / "server", cwd=tmp_path, env=serving) as server,
        httpx2.Client(base_url=url) as client,
        chromium() as browser,
    ):
        page = browser.new_page()
        wait_for_line(server, "Ctrl-C stops")
        wait_for_line(server, BUILT)
        assert f"bench submit RECORD --to {url}" in opened(page, url, places.CONTRIBUTE)

        said("submit", str(record), "--to", url, "--yes")
        receipt = only(tmp_path, "*.receipt.json")
        entry = json.loads(receipt.read_text(encoding="utf-8"))["id"]
        state = f"/api/submissions/{entry}"
        while client.get(state).json()["state"] != "published":
            wait_for_line(server, BUILT)
        assert document["device"]["name"] in opened(page, url, card)
        page.get_by_role("link", name=entry).first.click()
        assert page.url == f"{url}/records/{entry}/index.html"
        assert entry in page.locator("h1").inner_text()

        document["cells"][0]["summary"]["latency_s"]["median"] *= 2
        edited = bundled(sealed(document, {}), seed=7)
        answer = client.post("/api/submissions", content=edited, headers=JSON)
        assert answer.status_code == 422
        assert "summary_mismatch" in {each["code"] for each in answer.json()["findings"]}

        moderated = "/api/moderation/submissions"
        assert client.get(moderated, params={"state": "published"}).status_code == 401
        (listed,) = client.get(moderated, params={"state": "published"}, headers=TOKEN).json()["submissions"]
        assert listed["id"] == entry
        because = {"reason": "the sender measured another card"}
        assert client.post(f"{moderated}/{entry}/withdraw", json=because, headers=TOKEN).status_code == 200
        wait_for_line(server, BUILT)
        assert "the sender measured another card" in opened(page, url, places.record_page(entry))
        assert "was withdrawn" in page.title()

        said("site", "delete", entry, "--reason", "asked for by its sender", "--yes")
        wait_for_line(server, BUILT)
        assert "This page does not exist" in opened(page, url, places.record_page(entry))
        found = client.get(state).json()
        assert (found["state"], found["reason"]) == ("deleted", "asked for by its sender")
        verified = said("site", "verify-log", url, "--receipt", str(receipt))
        assert verified.startswith("log         4 entries")
        assert verified.count("receipt     entry ") == 4
        events = [json.loads(line)["event"] for line in client.get("/api/log").text.splitlines()]
        assert events == [Event.RECEIVED, Event.PUBLISHED, Event.WITHDRAWN, Event.DELETED]
        page.close()
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)
    assert server.returncode == 143
