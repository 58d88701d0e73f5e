"""Many clients at once, and a server that is killed in between: every promise holds."""

import os
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.benchmarks.receiver_load import Load, figures, run_load
from tests.run.processes import NEEDS_SIGNALS

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
