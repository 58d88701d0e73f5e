"""The allocator of a real card, recorded while a model with random weights answers, and the model of it.

With the environment variable `ALLOCATOR_TRACES` the traces are kept in that folder: see docs/allocator.md.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bench.audio import clips
from bench.moss_audio import MossAudioModel, MossAudioProcessor, released_config
from bench.predict.allocator.recorded import read_allocator_trace, record, replay, write_trace
from bench.units import GIB, MIB
from bench.weights.random import random_model

pytestmark = pytest.mark.gpu

CLOSE = 0.02
FULL_SIZE = "MOSS-Audio-4B-Instruct"
CUDA = torch.device("cuda")
TOKENS = 64
ROOT = Path(__file__).parents[2]


def answer_of(model: MossAudioModel, processor: MossAudioProcessor, clip_s: float) -> object:
    """An answer of `TOKENS` tokens about a clip, with what stays on the card."""
    audio = clips.cut(clips.shipped_speech(), clip_s)
    inputs = processor(text="Describe this audio.", audio=audio).to(CUDA)
    inputs["audio_features"] = inputs["audio_features"].to(next(model.parameters()).dtype)
    lengths = {"max_new_tokens": TOKENS, "min_new_tokens": TOKENS}
    return model, inputs, model.generate(**inputs, **lengths, do_sample=False)


def small(folder: Path) -> object:
    """The small checkpoint, loaded as any other is."""
    options = {"device_map": {"": CUDA}, "dtype": torch.bfloat16, "attn_implementation": "sdpa"}
    model = MossAudioModel.from_pretrained(folder, **options)
    return answer_of(model, MossAudioProcessor.from_pretrained(folder), 30.0)


def full_size(_: Path) -> object:
    """The released shapes."""
    model = random_model(released_config(FULL_SIZE), dtype=torch.bfloat16, device=CUDA, seed=0)
    return answer_of(model, MossAudioProcessor.without_tokenizer(), 30.0)


def main(which: str, model: str, out: str) -> None:
    """In a process of its own, whose first use of the card this is."""
    work = {"small": small, "full-size": full_size}[which]
    with torch.no_grad():
        write_trace(record(lambda: work(Path(model)), CUDA), Path(out))


@pytest.mark.parametrize("which", ["small", "full-size"])
def test_the_model_reserves_what_this_card_does(which: str, model: Path, tmp_path: Path) -> None:
    if which == "full-size" and torch.cuda.mem_get_info()[0] < 14 * GIB:
        pytest.skip("needs 14 GiB that are free")
    folder = Path(os.environ.get("ALLOCATOR_TRACES", tmp_path)).resolve()
    card = re.sub(r"[^a-z0-9]+", "-", torch.cuda.get_device_name().lower()).strip("-")
    settings = os.environ.get("PYTORCH_CUDA_ALLOC_CONF", "") + os.environ.get("PYTORCH_ALLOC_CONF", "")
    expandable = "-expandable" if "expandable_segments:True" in settings else ""
    path = folder / f"{card}-torch-{torch.__version__.partition('+')[0]}-{which}{expandable}.json"
    code = f"from tests.gpu.test_allocator import main; main(*{[which, str(model), str(path)]!r})"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert ended.returncode == 0, ended.stderr
    found = replay(read_allocator_trace(path))
    assert found.observed >= 2 * MIB
    assert abs(found.error) < CLOSE, (
        f"{found.observed / MIB:.0f} MiB reserved, {found.modelled / MIB:.0f} modelled"
    )
