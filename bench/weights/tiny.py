"""A complete tiny checkpoint of the same architecture, made here from a seed: for the `smoke` suite."""

import errno
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from bench.errors import StorageError, WeightsError
from bench.weights.checkpoint import read_json
from bench.weights.header import read_header

DEFAULT_SEED: Final = 20260
_SPECIAL: Final = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|AUDIO|>",
    "<|audio_bos|>",
    "<|audio_eos|>",
)
_FIRST_SPECIAL_ID: Final = 256  # after the 256 bytes
_BOS, _, _EOS, _AUDIO, _AUDIO_START, _AUDIO_END = range(_FIRST_SPECIAL_ID, _FIRST_SPECIAL_ID + len(_SPECIAL))
VOCABULARY: Final = 264
"""Number of token ids."""
_LAYERS: Final = 4
_WEIGHTS: Final = "model.safetensors"
_ROOM_BYTES: Final = 8_000_000
_CHAT_TEMPLATE: Final = """\
{%- for m in messages -%}<|im_start|>{{ m.role }}
{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content -%}
{%- if p.type in ['audio', 'audio_url', 'input_audio'] -%}<|audio_bos|><|AUDIO|><|audio_eos|>
{% else %}{{ p.text }}{% endif %}{% endfor %}{% endif %}<|im_end|>
{% endfor -%}<|im_start|>assistant
"""


def write_tiny_checkpoint(directory: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write configuration, tokenizer and float32 weights, about 7 MB; the same bytes for the same seed.

    The directory appears complete or not at all, so several processes may do this at once. One that is there
    already and complete is left as it is: give each seed a directory of its own.

    Raises:
        StorageError: the directory cannot be written, or holds something else.
    """
    if is_tiny_checkpoint(directory):
        return
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory.parent, prefix=".tiny-") as scratch:
            made = Path(scratch) / "checkpoint"
            made.mkdir()
            _write_files(made, seed)
            _put_in_place(made, directory)
    except OSError as error:
        raise StorageError(
            f"Cannot write the tiny model to {directory}: {error.strerror or error}",
            hint="Free some space there, or choose another place",
        ) from error


def is_tiny_checkpoint(directory: Path) -> bool:
    """Whether all files of a tiny checkpoint exist, and none is damaged or cut short."""
    try:
        read_json(directory / "tokenizer.json")
        read_header(directory / _WEIGHTS)
        return all(read_json(directory / name) == content for name, content in _json_files().items())
    except WeightsError:
        return False


def require_place(directory: Path) -> None:
    """Check that a tiny checkpoint is there, or can be put there.

    Raises:
        OSError: the folder cannot be written, the disk is full, or something else is there.
    """
    if is_tiny_checkpoint(directory):
        return
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=directory.parent) as file:
        file.write(bytes(_ROOM_BYTES))
    is_free = not directory.exists() or not any(directory.iterdir())
    if directory.is_symlink() or not (is_free or is_tiny_checkpoint(directory)):  # made meanwhile
        raise FileExistsError(errno.EEXIST, "another file is there, or a damaged checkpoint")


def _put_in_place(made: Path, directory: Path) -> None:
    try:
        os.replace(made, directory)  # noqa: PTH105  (a directory, onto nothing or onto an empty one)
    except OSError:
        if not is_tiny_checkpoint(directory):  # else another process was first, with the same files
            raise
        shutil.rmtree(made)


def _write_files(directory: Path, seed: int) -> None:
    for name, content in _json_files().items():
        (directory / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    (directory / "chat_template.jinja").write_text(_CHAT_TEMPLATE, encoding="utf-8")
    _write_tokenizer(directory / "tokenizer.json")
    _write_weights(directory / _WEIGHTS, seed)


def _json_files() -> dict[str, dict[str, object]]:
    return {
        "config.json": tiny_config(),
        "generation_config.json": {"bos_token_id": _BOS, "eos_token_id": _EOS, "pad_token_id": _BOS},
        "processor_config.json": {
            "processor_class": "MossAudioProcessor",
            "mel_config": {"mel_sr": 16000, "mel_dim": 128, "mel_n_fft": 400, "mel_hop_length": 160},
            "enable_time_marker": True,
            "audio_token_id": _AUDIO,
            "audio_start_id": _AUDIO_START,
            "audio_end_id": _AUDIO_END,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": "<|im_end|>",
            "pad_token": "<|endoftext|>",
            "clean_up_tokenization_spaces": False,
        },
    }


def tiny_config() -> dict[str, object]:
    """Return the content of the tiny checkpoint's config.json."""
    ids = {"bos_token_id": _BOS, "eos_token_id": _EOS}
    return {
        "architectures": ["MossAudioModel"],
        "model_type": "moss_audio",
        "adapter_hidden_size": 160,
        "audio_config": {
            "d_model": 96,
            "output_dim": 96,
            "num_mel_bins": 128,
            "encoder_layers": 5,
            "encoder_attention_heads": 3,
            "encoder_ffn_dim": 192,
            "downsample_rate": 8,
            "downsample_hidden_size": 24,
            "activation_function": "gelu",
            "layer_norm_eps": 1e-5,
            "deepstack_encoder_layer_indexes": [1, 2, 3],
        },
        "language_config": {
            "model_type": "qwen3",
            "vocab_size": VOCABULARY,
            "hidden_size": 160,
            "intermediate_size": 416,
            "num_hidden_layers": _LAYERS,
            "num_attention_heads": 5,
            "num_key_value_heads": 1,
            "head_dim": 32,
            "max_position_embeddings": 40960,
            "rope_theta": 1_000_000.0,
            "rms_norm_eps": 1e-6,
            "attention_bias": False,
            "tie_word_embeddings": False,
            "hidden_act": "silu",
            **ids,
        },
        "deepstack_num_inject_layers": 3,
        "ignore_index": -100,
        "dtype": "float32",
        "tie_word_embeddings": False,
        "vocab_size": VOCABULARY,
        "num_hidden_layers": _LAYERS,
        **ids,
    }


def _write_tokenizer(file: Path) -> None:
    """Write a tokenizer of bytes, in GPT-2's order, which puts '0' to '9' at 15 to 24 as markers need."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({symbol: index for index, symbol in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in _SPECIAL])
    tokenizer.save(str(file))


def _write_weights(file: Path, seed: int) -> None:
    import torch
    from safetensors.torch import save_file

    from bench.moss_audio import MossAudioConfig
    from bench.weights.random import random_model

    model = random_model(
        MossAudioConfig.from_dict(tiny_config()), dtype=torch.float32, device="cpu", seed=seed
    )
    save_file(model.state_dict(), str(file), metadata={"format": "pt"})
