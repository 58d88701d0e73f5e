"""The commands of moderators and of those who verify, with a receiver that answers, on each database."""

from pathlib import Path

from bench.receiver.database import Database
from tests.receiver.http.serving import KEY, served
from tests.receiver.sent import sent
from tests.run.processes import bench


def test_a_log_verifies_over_http_after_decisions_of_another_process(
    database: Database, database_url: str, tmp_path: Path, home: Path
) -> None:
    one, two = sent(database, 1, note="hello"), sent(database, 2)

    def said(*words: str) -> str:
        ended = bench("site", *words, home=home, cwd=tmp_path, env={"BENCH_DATABASE": database_url})
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    assert one.id in said("queue")
    with served(database, tmp_path, []) as client:
        kept = tmp_path / "kept.json"
        kept.write_bytes(client.get("/api/log/checkpoint").content)
        said("publish", one.id, "--reason", "harmless")
        said("delete", two.id, "--reason", "asked for by mail", "--yes")
        assert client.get(f"/api/submissions/{two.id}").json()["reason"] == "asked for by mail"
        url = str(client.base_url)
        lines = said("verify-log", url, "--checkpoint", str(kept), "--key", KEY.key_id).splitlines()
    assert [line.split()[:2] for line in lines[::2]] == [["log", "5"], ["signed", "by"], ["signed", "by"]]
    assert [line.split()[1] for line in lines[1::2]] == ["3", "5"]
