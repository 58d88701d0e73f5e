"""What tests of the driver share."""

from pathlib import Path

import pytest

from tests.fake_driver.driver import environment_of
from tests.hardware.driver_answers import Ask, answer_of
from tests.run.forks import Forks


@pytest.fixture(scope="session")
def ask(fake_nvml: Path, forks: Forks) -> Ask:
    """Ask the driver of a machine as in a scenario; the answer as JSON."""

    def run(scenario: str | Path, what: str = "gpus") -> object:
        return answer_of(forks, what, environment_of(scenario, fake_nvml))

    return run
