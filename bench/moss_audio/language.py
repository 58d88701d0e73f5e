"""The language model: transformers' Qwen3, whose first layers take DeepStack features on their output."""

from typing import Any, NamedTuple

from torch import Tensor
from transformers import Qwen3Config
from transformers.models.qwen3.modeling_qwen3 import Qwen3DecoderLayer, Qwen3Model


class DeepStack(NamedTuple):
    """What the audio adds to the first layers: `features[i]` goes to the output of layer `i`.

    `features`: one `[batch, audio_tokens, hidden]` per layer. `slots`: `[batch, audio_tokens]`, positions.
    """

    features: tuple[Tensor, ...]
    slots: Tensor


class DeepStackDecoderLayer(Qwen3DecoderLayer):  # type: ignore[no-untyped-call]
    """A Qwen3 layer that adds its DeepStack features to its output. The rest is transformers' code."""

    def __init__(self, config: Qwen3Config, layer_idx: int) -> None:
        super().__init__(config, layer_idx)
        self.layer_idx = layer_idx

    def forward(self, *args: Any, deepstack: DeepStack | None = None, **kwargs: Any) -> Tensor:
        """As in Qwen3; `deepstack` stops here, no attention kernel sees it."""
        hidden: Tensor = super().forward(*args, **kwargs)
        if deepstack is None or self.layer_idx >= len(deepstack.features):
            return hidden
        features = deepstack.features[self.layer_idx].to(hidden)
        return hidden.scatter_add_(1, spread(deepstack.slots.to(hidden.device), features), features)


class DeepStackQwen3Model(Qwen3Model):  # type: ignore[no-untyped-call]
    """`Qwen3Model` with layers that take DeepStack features; same tensors, same names."""

    _no_split_modules = ["DeepStackDecoderLayer"]  # noqa: RUF012

    def __init__(self, config: Qwen3Config) -> None:
        super().__init__(config)
        for index in range(config.num_hidden_layers):  # one by one: never two sets of layers at once
            self.layers[index] = DeepStackDecoderLayer(config, index)
        self.post_init()  # type: ignore[no-untyped-call]


def spread(slots: Tensor, features: Tensor) -> Tensor:
    """`[batch, tokens]` positions as an index for `scatter` along dimension 1; a view, no memory."""
    return slots[:, :, None].expand_as(features)
