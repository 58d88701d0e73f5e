"""Many clients at once, and a server that is killed in between: every promise holds."""

from pathlib import Path

import pytest

from tests.benchmarks.receiver_load import Load, run_load
from tests.run.processes import NEEDS_SIGNALS


@NEEDS_SIGNALS
@pytest.mark.servers
@pytest.mark.timeout(900)
def test_every_stored_bundle_is_there_after_kill_9_and_none_twice(
    tmp_path: Path, served_folder: Path, database_url: str
) -> None:
    del served_folder  # it is where the server looks
    sent = run_load(tmp_path, database_url, Load(submissions=1000, clients=50))
    assert sent.refused == []
    assert len(sent.ids) == 1000
