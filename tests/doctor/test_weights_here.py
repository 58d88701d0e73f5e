"""What of the model lies in a real Hub cache; the large files are sparse."""

import os
from pathlib import Path

import pytest
from huggingface_hub import constants

from bench.doctor.facts import Weights
from bench.doctor.interface import WEIGHTS_BYTES
from bench.doctor.weights_here import weights_here

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SHARD = "model.safetensors"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the repository in an empty cache."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub" / "models--OpenMOSS-Team--MOSS-Audio-4B-Instruct"


def sparse(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.truncate(path, size)


def snapshot(folder: Path, shard_bytes: int) -> None:
    """A snapshot as huggingface_hub leaves it, with its one shard a link to a blob."""
    place = folder / "snapshots" / COMMIT
    for name in ("config.json", "processor_config.json", "tokenizer.json"):
        sparse(place / name, 2)
    blob = folder / "blobs" / ("ab" * 32)
    sparse(blob, shard_bytes)
    (place / SHARD).symlink_to(os.path.relpath(blob, place))
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(COMMIT)


def test_an_empty_cache_holds_nothing_and_has_room(folder: Path) -> None:
    found = weights_here()
    assert not found.complete
    assert found.present_bytes == 0
    assert found.free_bytes > 0


def test_a_whole_snapshot_is_complete(folder: Path) -> None:
    snapshot(folder, WEIGHTS_BYTES + 60_000)
    assert weights_here().complete


def test_a_snapshot_of_something_smaller_is_not(folder: Path) -> None:
    snapshot(folder, 10**9)
    found = weights_here()
    assert not found.complete
    assert found.present_bytes == 10**9 + 3 * 2


def test_what_this_program_began_counts_and_what_others_began_does_not(folder: Path) -> None:
    sparse(folder / "blobs" / f"{'cd' * 32}.bench.incomplete", 4 * 10**9)
    sparse(folder / "blobs" / f"{'ef' * 32}.incomplete", 3 * 10**9)
    found = weights_here()
    assert (found.complete, found.present_bytes) == (False, 4 * 10**9)


def test_no_network_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert weights_here() == Weights(False, 0, weights_here().free_bytes, offline=True)
