"""What only a terminal gets: the live display, colours, questions. A real one, from `pty`."""

import os
import re
import subprocess
import sys
from pathlib import Path

from bench.store.record_files import write_record
from tests.engines.stand_in import NAME
from tests.hub_server import serve
from tests.run.processes import NEEDS_TERMINAL, environment, only, write_suite
from tests.submit import site_server
from tests.validate.good import ordinary

pytestmark = NEEDS_TERMINAL


def _on_a_terminal(arguments: list[str], typed: bytes, cwd: Path, env: dict[str, str]) -> tuple[int, str]:
    """Run `bench` on a terminal of its own; its exit code and all that the terminal showed."""
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=cwd,
        env=env | {"TERM": "xterm-256color"},
    )
    os.close(theirs)
    os.write(ours, typed)
    shown = b""
    try:
        while part := os.read(ours, 65_536):
            shown += part
    except OSError:  # Linux says so when the last process has left the terminal
        pass
    os.close(ours)
    return process.wait(timeout=60), shown.decode()


def test_a_run_on_a_terminal_is_live_and_in_colour(
    stand_ins: dict[str, str], home: Path, tmp_path: Path
) -> None:
    suite = write_suite(tmp_path, tokens="[8]", engine=NAME)
    env = {key: value for key, value in environment(home).items() if key != "NO_COLOR"} | stand_ins
    code, shown = _on_a_terminal(["run", "--suite", str(suite)], b"", tmp_path, env)
    assert code == 0, shown
    assert "starting the worker" in shown
    assert "\x1b[32m✓\x1b[0m 1 s, 8 tokens, sdpa: " in shown
    assert "first token" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l"), "the cursor is visible again"
    assert f"record  {only(tmp_path / 'results', '*.json').relative_to(tmp_path)}" in shown


def test_a_download_is_a_question_that_names_size_and_place(home: Path, tmp_path: Path) -> None:
    suite = write_suite(tmp_path)
    with serve() as hub:
        hub.repos["some-owner/moss"].commit(
            {"config.json": b'{"model_type": "moss_audio"}', "model.safetensors": bytes(5_000_000)}
        )
        own = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "0"}
        arguments = ["run", "--device", "cpu", "--suite", str(suite), "--model", "some-owner/moss"]
        code, shown = _on_a_terminal(arguments, b"n\n", tmp_path, environment(home) | own)
        assert not hub.contents()
    assert code == 2
    assert f"of some-owner/moss to {tmp_path}/hf/hub? [Y/n]" in shown
    assert (
        "bench: nothing was downloaded. To run without a download, use --model DIR or --weights random"
        in shown
    )


def test_a_submission_asks_and_says_what_happens_now(home: Path, tmp_path: Path) -> None:
    write_record(ordinary(), tmp_path / "mine.json")
    with site_server.serve(site_server.accepted()) as site:
        code, shown = _on_a_terminal(
            ["submit", "mine.json", "--to", site.url], b"y\n", tmp_path, environment(home)
        )
    assert code == 0, shown
    assert "Publish this under CC0-1.0? [y/N]" in shown
    assert re.search(rf"sending [\d.]+ kB to {site.url} \(try 1 of 5\)", shown)
