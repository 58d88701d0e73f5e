"""The lean profile on a card: the embeddings lie on the host, and the answer is the same."""

import numpy as np
import pytest
import torch

from bench.engines.interface import ModelSource
from bench.engines.native.engine import NativeEngine
from bench.measure.observer import CombinedObserver
from bench.records.enums import Profile, WeightMode
from tests.engines.native.test_profiles import request_of, requested
from tests.moss_audio.test_golden import CLIPS, GOLDEN

pytestmark = pytest.mark.gpu


def engine_for(profile: Profile) -> NativeEngine:
    source = ModelSource(name="tiny-a", weight_mode=WeightMode.LOCAL, directory=GOLDEN)
    engine = NativeEngine(source, torch.device("cuda"))
    engine.load(requested(profile))
    return engine


@pytest.mark.parametrize("clip", CLIPS)
def test_lean_generates_the_tokens_of_the_released_model(clip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    engine = engine_for(Profile.LEAN)
    with np.load(GOLDEN / clip) as golden:
        generation = engine.generate(
            request_of(golden["waveform"], str(golden["prompt"])), CombinedObserver()
        )
        assert generation.token_ids == tuple(golden["generated"].reshape(-1).tolist())


def test_the_embeddings_are_on_the_host_and_count_no_more() -> None:
    faithful, lean = engine_for(Profile.FAITHFUL), engine_for(Profile.LEAN)
    assert (faithful.settings().embeddings, lean.settings().embeddings) == ("device", "host")
    sizes = [sum(tensor.nbytes for tensor in engine.weights()) for engine in (faithful, lean)]
    table = lean._config.language_config
    assert sizes[0] - sizes[1] == table.vocab_size * table.hidden_size * 4
    assert all(tensor.device.type == "cuda" for tensor in lean.weights())
