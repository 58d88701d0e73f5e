"""The language model: transformers' Qwen3, whose first layers take DeepStack features on their output."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import Qwen3Config
from transformers.models.qwen3.modeling_qwen3 import Qwen3DecoderLayer, Qwen3MLP, Qwen3Model


class DeepStack(NamedTuple):
    """Audio features added to the first layers: `features[i]` goes to the output of layer `i`.

    `features`: one `[batch, audio_tokens, hidden]` per layer. `slots`: `[batch, audio_tokens]`, positions.
    """

    features: tuple[Tensor, ...]
    slots: Tensor


class TokenEmbedding(nn.Embedding):
    """Text embeddings, which may be on the host while the other tensors are on a device."""

    def forward(self, input: Tensor) -> Tensor:
        """The rows of these ids, on the device of the ids."""
        return super().forward(input.to(self.weight.device)).to(input.device)


class PiecewiseMLP(Qwen3MLP):
    """A feed-forward layer that computes a long prompt in pieces: positions are independent here."""

    def __init__(self, config: Qwen3Config, positions_at_once: int) -> None:
        super().__init__(config)  # type: ignore[no-untyped-call]
        self.positions_at_once = positions_at_once

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, positions, hidden]` to the same shape."""
        pieces = [self._piece(piece) for piece in torch.split(x, self.positions_at_once, dim=1)]
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=1)

    def _piece(self, x: Tensor) -> Tensor:
        whole: Callable[[Tensor], Tensor] = super().forward
        return whole(x)


class DeepStackDecoderLayer(Qwen3DecoderLayer):  # type: ignore[no-untyped-call]
    """A Qwen3 layer that adds its DeepStack features to its output. The rest is transformers' code."""

    def __init__(self, config: Qwen3Config, layer_idx: int, mlp_positions_at_once: int | None = None) -> None:
        super().__init__(config, layer_idx)
        if mlp_positions_at_once is not None:
            self.mlp = PiecewiseMLP(config, mlp_positions_at_once)
        self.layer_idx = layer_idx

    def forward(self, *args: Any, deepstack: DeepStack | None = None, **kwargs: Any) -> Tensor:
        """As in Qwen3; `deepstack` is not passed to attention kernels."""
        hidden: Tensor = super().forward(*args, **kwargs)
        if deepstack is None or self.layer_idx >= len(deepstack.features):
            return hidden
        features = deepstack.features[self.layer_idx].to(hidden)
        return hidden.scatter_add_(1, spread(deepstack.slots.to(hidden.device), features), features)


class DeepStackQwen3Model(Qwen3Model):  # type: ignore[no-untyped-call]
    """`Qwen3Model` with layers that take DeepStack features; same tensors, same names."""

    _no_split_modules = ["DeepStackDecoderLayer"]  # noqa: RUF012

    def __init__(self, config: Qwen3Config, mlp_positions_at_once: int | None = None) -> None:
        super().__init__(config)
        self.embed_tokens = TokenEmbedding(config.vocab_size, config.hidden_size, config.pad_token_id)
        for index in range(config.num_hidden_layers):  # one by one: never two sets of layers at once
            self.layers[index] = DeepStackDecoderLayer(config, index, mlp_positions_at_once)
        self.post_init()  # type: ignore[no-untyped-call]


def spread(slots: Tensor, features: Tensor) -> Tensor:
    """`[batch, tokens]` positions as an index for `scatter` along dimension 1; a view, no memory."""
    return slots[:, :, None].expand_as(features)
