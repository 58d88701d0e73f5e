"""The native engine: our own implementation of the model, on torch and in this process.

The parent of a run reads this module only; `opening` makes the engine and its instruments in the worker.
"""

from typing import Final

from bench.engines.interface import EngineSetup, EngineSpec, OpenEngine
from bench.engines.support import unsupported


def _open(setup: EngineSetup) -> OpenEngine:
    from bench.engines.native.opening import open_native

    return open_native(setup)


SPEC: Final = EngineSpec(
    open=_open,
    unsupported=unsupported,
    uses_torch=True,
    reads_weights=True,
    limits_memory=True,
    packages=(
        "torch",
        "transformers",
        "accelerate",
        "tokenizers",
        "safetensors",
        "huggingface-hub",
        "numpy",
        "soxr",
        "soundfile",
    ),
)
