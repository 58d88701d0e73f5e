"""The parts of the language model that are not transformers' own: its embeddings, and prompts in pieces."""

from typing import Any

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from transformers.models.qwen3.modeling_qwen3 import Qwen3MLP

from bench.moss_audio.language import PiecewiseMLP, TokenEmbedding, spread
from tests.moss_audio.small import model_config, small_model


class Lookups(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Where embeddings are looked up."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.devices: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.embedding.default:
            self.devices.append(args[0].device.type)
        return func(*args, **(kwargs or {}))


def test_embeddings_on_the_host_answer_a_gpu() -> None:
    """A fake tensor of a GPU, as a wheel for CPUs has them, refuses an operator whose inputs lie apart."""
    where = Lookups()
    with FakeTensorMode(), torch.no_grad(), where:
        table = TokenEmbedding(97, 24)
        ids = torch.empty(1, 5, dtype=torch.long, device="cuda:0")
        rows = table(ids)
    assert where.devices == ["cpu"]
    assert (rows.device.type, rows.shape) == ("cuda", (1, 5, 24))


@pytest.mark.parametrize("positions_at_once", [1, 3, 7, 100])
def test_a_feed_forward_layer_in_pieces_gives_what_the_whole_one_gives(positions_at_once: int) -> None:
    config = model_config().language_config
    whole = Qwen3MLP(config)  # type: ignore[no-untyped-call]
    pieces = PiecewiseMLP(config, positions_at_once)
    pieces.load_state_dict(whole.state_dict())
    prompt = torch.randn(2, 7, config.hidden_size)
    assert torch.allclose(pieces(prompt), whole(prompt), atol=1e-6)


def test_tensors_keep_their_names_in_pieces() -> None:
    plain = model_config()
    pieces = type(plain)(**{**plain.to_dict(), "mlp_positions_at_once": 3})
    assert set(small_model(pieces).state_dict()) == set(small_model(plain).state_dict())


def test_positions_are_spread_over_features_without_memory() -> None:
    slots, features = torch.tensor([[4, 1]]), torch.zeros(1, 2, 3)
    index = spread(slots, features)
    assert index.tolist() == [[[4, 4, 4], [1, 1, 1]]]
    assert index.data_ptr() == slots.data_ptr()
