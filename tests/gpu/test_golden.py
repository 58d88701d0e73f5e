"""The numbers of the released code, computed on a card."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.moss_audio.test_golden import CLIPS, GOLDEN, largest_error, load

pytestmark = pytest.mark.gpu

# Sums run in another order than on the CPU.
TOLERANCE = 5e-4


@pytest.fixture(autouse=True)
def full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """TF32 costs three digits: torch leaves it off in matrices, and on in convolutions."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("clip", CLIPS)
def test_logits_are_those_of_the_released_model(clip: str, attention: str) -> None:
    model, processor = load(GOLDEN, attn_implementation=attention)
    nn.Module.to(model, "cuda")
    with np.load(GOLDEN / clip) as golden:
        inputs = processor(text=golden["prompt"].item(), audio=golden["waveform"]).to("cuda")
        expected = torch.from_numpy(golden["logits"])
    with torch.no_grad():
        logits = model(**inputs).logits
    assert largest_error(logits[:, -64:].cpu(), expected) < TOLERANCE
