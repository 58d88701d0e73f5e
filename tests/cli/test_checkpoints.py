"""`--model DIR` with a checkpoint that is none: one line, code 3, before any cell."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bench.weights.tiny import write_tiny_checkpoint
from tests.cli.conftest import Say
from tests.run.processes import bench, write_suite


def _only_pickles(model: Path) -> None:
    (model / "model.safetensors").rename(model / "pytorch_model.bin")


def _another_model(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | {"model_type": "whisper"}))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (_only_pickles, "no safetensors weights: only pickled ones, which are never opened"),
        (
            _another_model,
            "its model_type is whisper, not moss_audio. Set --model to a MOSS-Audio checkpoint",
        ),
        (lambda model: (model / "config.json").unlink(), "has no config.json"),
        (lambda model: (model / "tokenizer.json").unlink(), "has no tokenizer.json. Download it again"),
        (lambda model: (model / "processor_config.json").unlink(), "has no processor_config.json"),
        (lambda model: (model / "tokenizer.json").write_text("{"), "tokenizer.json is not valid JSON"),
    ],
)
def test_seen_before_a_worker_starts(
    say: Say, checkpoint: Path, tmp_path: Path, damage: Callable[[Path], object], told: str
) -> None:
    damage(checkpoint)
    write_suite(tmp_path)
    said = say("run", "--suite", "mine.toml", "--device", "cpu", "--model", str(checkpoint))
    assert said.code == 3
    (line,) = [line for line in said.err.splitlines() if not line.startswith("checking")]
    assert told in line


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("tokenizer.json", "version https://git-lfs.github.com/spec/v1", "is a pointer of Git LFS"),
        ("processor_config.json", "{", "processor_config.json is not valid JSON"),
        ("tokenizer.json", "{}", "cannot be loaded (KeyError). Download it again"),
        ("tokenizer.json", '{"model": {"type": "BPE", "vocab": 3}}', "cannot be loaded ("),
    ],
)
def test_a_plan_names_the_file_that_its_tokenizer_cannot_read(
    say: Say, checkpoint: Path, name: str, content: str, told: str
) -> None:
    (checkpoint / name).write_text(content)
    said = say(
        *("plan", "--gpu", "rtx-4070", "--model", str(checkpoint)),
        *("--clip-seconds", "1", "--max-tokens", "8", "--attention", "sdpa"),
    )
    assert said.code == 3
    assert told in said.line()


def _other_tensors(model: Path) -> None:
    tensors = load_file(model / "model.safetensors")
    first, second, *_ = sorted(tensors)
    del tensors[first]
    tensors[second] = np.zeros((3, 3), np.float32)
    tensors["surplus"] = np.zeros(2, np.float32)
    save_file(tensors, model / "model.safetensors", metadata={"format": "pt"})


def _truncated(model: Path) -> None:
    path = model / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100_000])


@pytest.mark.emulated
@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (_other_tensors, ("1 missing", "1 not part of the model (surplus)", "1 of another shape")),
        (_truncated, ("model.safetensors is truncated: 100,000 bytes are missing at its end",)),
    ],
)
def test_seen_by_the_worker(
    checkpoint: Path, home: Path, tmp_path: Path, damage: Callable[[Path], None], told: tuple[str, ...]
) -> None:
    damage(checkpoint)
    suite = write_suite(tmp_path)
    ended = bench("run", "--suite", str(suite), "--model", str(checkpoint), home=home, cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (3, "")
    (line,) = [line for line in ended.stderr.splitlines() if not line.startswith("checking")]
    for part in told:
        assert part in line
    assert re.search("Download (it|the checkpoint) again", line)
    assert not list((tmp_path / "results").rglob("*.json*"))


@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "tokenizer.json", "processor_config.json"]
)
@pytest.mark.parametrize("command", ["run", "frontier"])
def test_a_dry_run_refuses_what_a_run_refuses(say: Say, tmp_path: Path, command: str, name: str) -> None:
    mine = tmp_path / "mine"
    write_tiny_checkpoint(mine)
    options = ("--suite", "smoke", "--device", "cpu", "--model", str(mine), "--dry-run")
    assert say(command, *options).code == 0
    (mine / name).write_bytes(b"{")
    said = say(command, *options)
    assert said.code == 3
    assert str(mine) in said.line()
    (mine / name).unlink()
    assert say(command, *options).code == 3


def test_a_dry_run_compares_the_parameters_with_the_configuration(say: Say, checkpoint: Path) -> None:
    _other_tensors(checkpoint)
    said = say("run", "--suite", "smoke", "--device", "cpu", "--model", str(checkpoint), "--dry-run")
    assert said.code == 3
    assert "do not fit its config.json: they have " in said.line()
    assert "parameters, and it describes 1,777,184. Download it again" in said.line()
