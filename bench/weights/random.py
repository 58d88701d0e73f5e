"""Random weights of the released shapes: no download, the same memory, nearly the same speed.

Matrices and embeddings are N(0, 0.02), norms are 1 and biases 0, so that activations stay sane in all layers.
"""

from collections.abc import Callable, Iterator
from typing import Final

import torch
from torch import Tensor, nn

from bench.moss_audio import MossAudioConfig, MossAudioModel

STANDARD_DEVIATION: Final = 0.02
# A prime, so that no two rows of a matrix are equal.
_POOL_SIZE: Final = 2**24 - 3

Fill = Callable[[Tensor], None]


def random_model(
    config: MossAudioConfig,
    *,
    dtype: torch.dtype,
    device: torch.device | str,
    seed: int,
    attention: str = "sdpa",
    encoder_attention: str = "eager",
) -> MossAudioModel:
    """Return a model with random weights, ready to evaluate. Each tensor is made once, in its type and place.

    On a CUDA device, and in small models, each tensor is drawn anew. On the CPU 5.2e9 draws take minutes:
    a pool of 2**24 - 3 seeded draws is copied at an offset of its own into each tensor, over and over: values
    repeat, which neither memory nor the speed of dense kernels can see. One seed, kind of device and dtype
    give the same weights each time.

    Args:
        config: shapes; it is copied, not changed.
        dtype: of all weights.
        device: where they are made.
        seed: of the draws.
        attention: of the language model: eager, sdpa or flash_attention_2.
        encoder_attention: of the audio encoder: eager or sdpa.

    Raises:
        ConfigError: an unknown encoder attention.
    """
    model = meta_model(config, dtype=dtype, attention=attention, encoder_attention=encoder_attention)
    place = torch.device(device)
    if place.type == "cuda":
        _reserve_at_once(model)
    allocate(model, place, _filler(model, place, dtype, seed))
    model.train(False)
    return model


def _reserve_at_once(model: MossAudioModel) -> None:
    """Make the allocator take one segment for all weights, as `from_pretrained` does before it loads.

    Tensor by tensor it would take a segment for each, of rounded size: more memory than a checkpoint takes.
    """
    torch.empty(sum(weight.nbytes for weight in model.parameters()), dtype=torch.uint8, device="cuda")


def meta_model(
    config: MossAudioConfig, *, dtype: torch.dtype, attention: str = "sdpa", encoder_attention: str = "eager"
) -> MossAudioModel:
    """Return the model without memory: shapes and types only."""
    values = {**config.to_dict(), "encoder_attn_implementation": encoder_attention}
    values["dtype"] = str(dtype).removeprefix("torch.")
    own = MossAudioConfig(**values, attn_implementation=attention)
    with torch.device("meta"):
        model = MossAudioModel(own)
    nn.Module.to(model, dtype)
    return model


def allocate(model: MossAudioModel, device: torch.device, fill: Fill | None = None) -> None:
    """Allocate the tensors of a meta-device model; without `fill` the matrices are not initialised."""
    for module in model.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            values = torch.empty(parameter.shape, dtype=parameter.dtype, device=device)
            _fill(values, name, fill)
            setattr(module, name, nn.Parameter(values, requires_grad=False))
    # Rotary frequencies are no weights: a buffer of the meta device is empty, so make the module again.
    rotary = type(model.language_model.rotary_emb)
    with torch.device(device):
        model.language_model.rotary_emb = rotary(model.config.language_config)


def _fill(values: Tensor, name: str, fill: Fill | None) -> None:
    if name == "bias":
        values.zero_()
    elif values.dim() == 1:
        values.fill_(1.0)  # every one-dimensional weight of this architecture is a norm's
    elif fill is not None:
        fill(values)


def _filler(model: MossAudioModel, device: torch.device, dtype: torch.dtype, seed: int) -> Fill:
    small = sum(parameter.numel() for parameter in model.parameters()) <= _POOL_SIZE
    return _drawn(device, seed) if small or device.type == "cuda" else _from_pool(dtype, seed)


def _drawn(device: torch.device, seed: int) -> Fill:
    generator = torch.Generator(device).manual_seed(seed)

    def fill(values: Tensor) -> None:
        values.normal_(0.0, STANDARD_DEVIATION, generator=generator)

    return fill


def _from_pool(dtype: torch.dtype, seed: int) -> Fill:
    generator = torch.Generator().manual_seed(seed)
    pool = torch.empty(_POOL_SIZE).normal_(0.0, STANDARD_DEVIATION, generator=generator).to(dtype)
    offsets = _offsets(generator)

    def fill(values: Tensor) -> None:
        flat = values.view(-1)
        start, offset = 0, next(offsets)
        while start < flat.numel():
            count = min(_POOL_SIZE - offset, flat.numel() - start)
            flat[start : start + count].copy_(pool[offset : offset + count])
            start, offset = start + count, 0

    return fill


def _offsets(generator: torch.Generator) -> Iterator[int]:
    while True:
        yield int(torch.randint(_POOL_SIZE, (1,), generator=generator))
