"""Why the driver lists no card."""

import pytest

from bench.hardware.no_gpu import why_no_gpu
from bench.hardware.system import System


@pytest.mark.parametrize(
    ("system", "hidden", "summary", "fix", "card_is_here"),
    [
        (System(), 0, "no NVIDIA card and driver found", None, False),
        (System(), 1, "CUDA_VISIBLE_DEVICES hides the card", "unset CUDA_VISIBLE_DEVICES", True),
        (System(), 2, "hides all 2 cards", "unset CUDA_VISIBLE_DEVICES", True),
        (System(nvidia_hardware=True), 0, "no driver answers for it", "Install the NVIDIA driver", True),
        (System(nvidia_hardware=True, container=True), 0, "not given to this container", "--gpus all", True),
        (System(device_files=True, container=True), 0, "libnvidia-ml.so.1", "compute,utility", True),
        (System(container=True), 0, "no NVIDIA card in this container", "--gpus all", False),
        (System(wsl2=True), 0, "no NVIDIA driver answers in WSL2", "in Windows", False),
    ],
)
def test_each_reason_has_its_sentence_and_remedy(
    system: System, hidden: int, summary: str, fix: str | None, card_is_here: bool
) -> None:
    why = why_no_gpu(system, hidden)
    assert summary in why.summary
    assert why.fix is None if fix is None else fix in (why.fix or "")
    assert why.card_is_here is card_is_here
