from pathlib import Path

import pytest

from tests.run.small_model import configuration


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return configuration(tmp_path)
