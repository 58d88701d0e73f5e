"""The tiny checkpoint: the same bytes everywhere, complete or absent, and good enough to generate."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bench.errors import StorageError
from bench.moss_audio import MossAudioModel, MossAudioProcessor
from bench.weights.tiny import is_tiny_checkpoint, require_place, write_tiny_checkpoint
from tests.moss_audio.small import noise

ROOT = Path(__file__).parents[2]
_WRITE = """
import pathlib, sys
from bench.weights.tiny import write_tiny_checkpoint
write_tiny_checkpoint(pathlib.Path(sys.argv[1]))
"""


def contents(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir()}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tiny") / "model"
    write_tiny_checkpoint(directory)
    return directory


def test_it_is_complete_and_small(tiny: Path) -> None:
    assert is_tiny_checkpoint(tiny)
    assert 1_000_000 < sum(len(content) for content in contents(tiny).values()) < 10_000_000
    assert [path.name for path in tiny.parent.iterdir()] == ["model"]  # no scratch left


def test_one_seed_gives_the_same_bytes(tiny: Path, tmp_path: Path) -> None:
    write_tiny_checkpoint(tmp_path / "again")
    write_tiny_checkpoint(tmp_path / "other", seed=7)
    assert contents(tmp_path / "again") == contents(tiny)
    differing = {name for name, data in contents(tmp_path / "other").items() if data != contents(tiny)[name]}
    assert differing == {"model.safetensors"}


@torch.no_grad()
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_it_generates(tiny: Path, attention: str) -> None:
    model = MossAudioModel.from_pretrained(tiny, dtype=torch.float32, attn_implementation=attention)
    processor = MossAudioProcessor.from_pretrained(tiny)
    inputs = processor(text="Describe this audio.", audio=noise(9))
    ids = processor.require_tokenizer()("0123456789", add_special_tokens=False)["input_ids"]
    assert ids == list(range(15, 25))  # where the time markers look for digits
    tokens = model.generate(**inputs, max_new_tokens=12, min_new_tokens=12, do_sample=False)
    assert tokens.shape[1] == inputs["input_ids"].shape[1] + 12
    assert isinstance(processor.decode(tokens[0]), str)
    louder = processor(text="Describe this audio.", audio=noise(9, seed=3))
    assert not torch.equal(model(**louder).logits[:, -1], model(**inputs).logits[:, -1])


@pytest.mark.emulated
def test_processes_may_race_for_it(tmp_path: Path, tiny: Path) -> None:
    target = tmp_path / "raced"
    command = [sys.executable, "-c", _WRITE, str(target)]
    racers = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]
    assert [racer.wait(timeout=120) for racer in racers] == [0, 0]
    assert contents(target) == contents(tiny)
    assert [path.name for path in tmp_path.iterdir()] == ["raced"]


def test_a_complete_one_is_left_alone(tiny: Path) -> None:
    before = (tiny / "model.safetensors").stat()
    write_tiny_checkpoint(tiny)
    assert (tiny / "model.safetensors").stat() == before


def test_something_else_in_its_place_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(StorageError, match="Cannot write the tiny model"):
        write_tiny_checkpoint(tmp_path / "mine")
    assert contents(tmp_path / "mine") == {"thesis.txt": b"precious"}
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_damaged_one_is_no_checkpoint_and_no_place_for_one(tiny: Path, tmp_path: Path) -> None:
    """As after a power cut: the file has its name, and ends too early."""
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        directory = tmp_path / name
        shutil.copytree(tiny, directory)
        require_place(directory)
        (directory / name).write_bytes((tiny / name).read_bytes()[:-10])
        assert not is_tiny_checkpoint(directory)
        with pytest.raises(FileExistsError, match="a damaged checkpoint"):
            require_place(directory)


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
def test_a_link_to_nothing_is_no_place_for_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        require_place(tmp_path / "link")
    require_place(tmp_path / "free")
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match=r"Cannot write the tiny model.*choose another place") as caught:
        write_tiny_checkpoint(tmp_path / "file" / "tiny")
    assert "\n" not in str(caught.value)
