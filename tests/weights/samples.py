"""Small checkpoints to fetch, open and damage."""

import json

import numpy as np
from safetensors.numpy import save

SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


def shard(seed: int, **shapes: tuple[int, ...]) -> bytes:
    """A safetensors file of random float32 tensors."""
    random = np.random.default_rng(seed)
    return bytes(save({name: random.random(shape, dtype=np.float32) for name, shape in shapes.items()}))


def checkpoint(*, seed: int = 0, first_values: int = 64) -> dict[str, bytes]:
    """The files of a tiny two-shard repository, with some that nobody needs."""
    index = {"metadata": {}, "weight_map": {"a": SHARDS[0], "b": SHARDS[0], "c": SHARDS[1]}}
    return {
        "config.json": json.dumps({"model_type": "moss_audio", "seed": seed}).encode(),
        "processor_config.json": b'{"enable_time_marker": true}',
        "generation_config.json": b'{"top_k": 50}',
        "tokenizer.json": b'{"model": {}}',
        "tokenizer_config.json": b"{}",
        "chat_template.jinja": b"{{ messages }}",
        "model.safetensors.index.json": json.dumps(index).encode(),
        SHARDS[0]: shard(seed, a=(first_values,), b=(2, 3)),
        SHARDS[1]: shard(seed + 1, c=(5, 7)),
        "README.md": b"# A model",
        ".gitattributes": b"",
        "processing_moss_audio.py": b"raise SystemExit('code was run')",
        "pytorch_model.bin": b"pickle",
        "training_args.pt": b"pickle",
        "onnx/model.safetensors": b"another",
    }


NEEDED = frozenset(checkpoint()) - {
    "README.md",
    ".gitattributes",
    "processing_moss_audio.py",
    "pytorch_model.bin",
    "training_args.pt",
    "onnx/model.safetensors",
}
SHAPES: dict[str, tuple[int, ...]] = {"a": (64,), "b": (2, 3), "c": (5, 7)}
