"""One card, two sources: the driver and torch have to mean the same one."""

import pytest
import torch

from bench.hardware import nvml
from bench.hardware.readings import DriverGpu

pytestmark = pytest.mark.gpu


def test_torch_and_the_driver_know_the_same_cards_by_their_uuids(card: DriverGpu) -> None:
    if card.is_mig:
        pytest.skip("a MIG slice has another UUID for torch")
    driver = {gpu.uuid.removeprefix("GPU-"): gpu for gpu in nvml.gpus()}
    for number in range(torch.cuda.device_count()):
        seen = torch.cuda.get_device_properties(number)
        gpu = driver[str(seen.uuid)]
        assert gpu.name == seen.name
        assert gpu.compute_capability == f"{seen.major}.{seen.minor}"


def test_the_driver_tells_memory_that_adds_up(card: DriverGpu) -> None:
    if card.memory is None:
        pytest.skip("this driver reports no memory of this card")
    memory = card.memory
    known = memory.used_bytes + memory.free_bytes + (memory.reserved_bytes or 0)
    assert known == pytest.approx(memory.total_bytes, rel=0.01)
    assert torch.cuda.get_device_properties(0).total_memory <= memory.total_bytes


def test_a_probe_reads_what_the_driver_said_at_first(card: DriverGpu) -> None:
    with nvml.open_probe(card.uuid) as probe:
        fast, slow, memory = probe.fast(), probe.slow(), probe.memory()
    assert (memory is None) == (card.memory is None)
    if memory is not None and card.memory is not None:
        assert memory.total_bytes == card.memory.total_bytes
    assert fast.used_bytes is None or fast.used_bytes >= 0
    assert slow.temperature_c is None or 0 < slow.temperature_c < 120
