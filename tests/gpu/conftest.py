"""What only a card can show. Skipped elsewhere; nothing is downloaded, and each test takes under a minute."""

from pathlib import Path

import pytest

from bench.hardware import nvml
from bench.hardware.readings import DriverGpu
from bench.weights.tiny import write_tiny_checkpoint
from tests.gpu.runs import Run, run_on

NO_CARD = "needs an NVIDIA card, and a torch that can use it"


@pytest.fixture(scope="session", autouse=True)
def card() -> DriverGpu:
    """The first card of this machine, as its driver describes it."""
    import torch

    if not torch.cuda.is_available():
        pytest.skip(NO_CARD)
    return nvml.gpus()[0]


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of the same architecture, as a person's own."""
    directory = tmp_path_factory.mktemp("models") / "my-model"
    write_tiny_checkpoint(directory)
    return directory


@pytest.fixture(scope="session")
def free(card: DriverGpu, model: Path, tmp_path_factory: pytest.TempPathFactory, home: Path) -> Run:
    """A run without any limit: a short clip and a long one, with every attention."""
    return run_on(card, model, tmp_path_factory.mktemp("free"), home)
