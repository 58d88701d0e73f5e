"""The worker by itself: it lives no longer than its parent."""

import subprocess
import sys

from bench.run.protocol import EVENT, Refused, Setup
from bench.run.worker import PARENT_GONE
from tests.run.test_isolation import SOURCE


def test_it_ends_when_its_parent_closes_the_pipe() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "bench.run.worker"], input="", capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (PARENT_GONE, "")


def test_it_says_why_it_cannot_start() -> None:
    setup = Setup(engine="nothing", source=SOURCE, device="cpu", dtype="float32", audio=None)
    with subprocess.Popen(
        [sys.executable, "-m", "bench.run.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(setup.model_dump_json() + "\n")
        process.stdin.flush()
        refused = EVENT.validate_json(process.stdout.readline())
    assert isinstance(refused, Refused)
    assert (refused.message, refused.exit_code) == ("no engine 'nothing'", 2)
