"""MOSS-Audio as ordinary `transformers` classes, usable without the rest of `bench`.

    processor = MossAudioProcessor.from_pretrained(path)
    model = MossAudioModel.from_pretrained(path, dtype=torch.bfloat16, attn_implementation="sdpa")
    inputs = processor(text="Describe this audio.", audio=waveform_16khz)
    processor.decode(model.generate(**inputs, max_new_tokens=64)[0])

In: the files of a checkpoint, text and a waveform. Out: a prompt, hidden states, tokens. Written from
published facts (config files, checkpoint layout, behaviour); tested against numbers of the released code.
Needs no `trust_remote_code`, reads only safetensors, runs on transformers 4.57.1 and on 5.x before 5.24.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bench.moss_audio.configuration import (
        AudioEncoderConfig,
        MossAudioConfig,
        released_config,
        released_models,
    )
    from bench.moss_audio.modeling import EncodedAudio, MossAudioModel
    from bench.moss_audio.processing import MossAudioProcessor

__all__ = [
    "AudioEncoderConfig",
    "EncodedAudio",
    "MossAudioConfig",
    "MossAudioModel",
    "MossAudioProcessor",
    "released_config",
    "released_models",
]

_MODULES: Final = {
    "AudioEncoderConfig": "configuration",
    "EncodedAudio": "modeling",
    "MossAudioConfig": "configuration",
    "MossAudioModel": "modeling",
    "MossAudioProcessor": "processing",
    "released_config": "configuration",
    "released_models": "configuration",
}


def __getattr__(name: str) -> object:
    """Import a name when it is first used: modules such as `prompt` need no torch."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = found
    return found
