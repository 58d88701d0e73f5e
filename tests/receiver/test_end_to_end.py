"""From a run here to a page of a site and away again: real commands, a real server, each database."""

import json
import shutil
import signal
from pathlib import Path

import httpx2
import pytest

from bench.receiver.checkpoint import read_checkpoint, verify_log
from bench.receiver.database import Database
from bench.receiver.ledger import Event
from bench.receiver.moderation import moderate
from bench.receiver.states import Action
from tests.identity.signers import bundled
from tests.receiver.ports import free_port
from tests.receiver.sent import NOW, do
from tests.run.processes import NEEDS_SIGNALS, bench, only, started, wait_for_line
from tests.site.results import sealed

BUILT = "the site was built"


@NEEDS_SIGNALS
@pytest.mark.servers
def test_a_run_is_sent_shown_withdrawn_and_deleted(
    tmp_path: Path, home: Path, finished_run: tuple[Path, str, str], database_url: str
) -> None:
    record = Path(shutil.copy(only(finished_run[0] / "results", "*.json"), tmp_path / "mine.json"))
    url = f"http://127.0.0.1:{free_port()}"
    serve = (
        "site",
        "serve",
        "--folder",
        "served",
        "--database",
        database_url,
        "--port",
        url.rpartition(":")[2],
    )
    with (
        started(*serve, home=tmp_path / "server", cwd=tmp_path) as server,
        httpx2.Client(base_url=url) as client,
    ):
        wait_for_line(server, "Ctrl-C stops")
        said = bench("submit", str(record), "--to", url, "--yes", home=tmp_path / "sender", cwd=tmp_path)
        assert said.returncode == 0, said.stdout + said.stderr
        sent = json.loads(only(tmp_path, "*.receipt.json").read_text(encoding="utf-8"))
        while client.get(f"/api/submissions/{sent['id']}").json()["state"] != "published":
            wait_for_line(server, BUILT)
        page = client.get(f"/records/{sent['id']}/")
        document = json.loads(record.read_text(encoding="utf-8"))
        assert document["device"]["name"] in page.text
        card = f"/check/{document['model']['name']}/{document['device']['slug']}/"
        assert f"/records/{sent['id']}/" in client.get(card).text

        document["cells"][0]["summary"]["latency_s"]["median"] *= 2
        edited = bundled(sealed(document, {}), seed=7)
        answer = client.post("/api/submissions", content=edited, headers={"content-type": "application/json"})
        assert answer.status_code == 422
        assert "summary_mismatch" in {each["code"] for each in answer.json()["findings"]}

        with Database(database_url) as database:
            for action in (Action.WITHDRAW, Action.DELETE):
                do(database, moderate, sent["id"], action, "asked for by its sender", NOW)
        log, checkpoint = client.get("/api/log").text.splitlines(), client.get("/api/log/checkpoint")
        assert verify_log(log, [read_checkpoint(checkpoint.content)]).size == len(log)
        events = [json.loads(line)["event"] for line in log]
        assert events == [Event.RECEIVED, Event.PUBLISHED, Event.WITHDRAWN, Event.DELETED]
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)
    assert server.returncode == 143
