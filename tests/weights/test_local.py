"""Opening a checkpoint directory."""

import os
from pathlib import Path

import pytest

from bench.errors import WeightsError
from bench.records.enums import WeightMode
from bench.weights.interface import Checkpoint
from bench.weights.local import open_local
from tests.hub_server import sha256
from tests.weights.samples import NEEDED, SHARDS, checkpoint


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    folder = tmp_path / "secret-place" / "my-model"
    folder.mkdir(parents=True)
    for name, content in checkpoint().items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_a_checkpoint_says_what_it_holds(directory: Path) -> None:
    opened = open_local(directory)
    assert (opened.name, opened.repo, opened.revision) == ("my-model", None, None)
    assert opened.weight_mode is WeightMode.LOCAL
    assert {file.name: (file.size_bytes, file.sha256) for file in opened.files} == {
        name: (len(content), sha256(content)) for name, content in checkpoint().items() if name in NEEDED
    }
    assert opened.sha256_of("config.json") == sha256(checkpoint()["config.json"])
    assert opened.sha256_of("nothing.json") is None


def shown(opened: Checkpoint) -> str:
    """All of a checkpoint that may enter a record."""
    return repr((opened.name, opened.repo, opened.revision, opened.files))


def test_no_path_is_told_however_the_directory_is_named(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(directory)
    for path in (directory, Path(), Path("../my-model"), directory / "onnx" / ".."):
        assert open_local(path).name == "my-model"
        assert "secret-place" not in shown(open_local(path))


def test_progress_ends_with_every_byte_checked(directory: Path) -> None:
    told: list[tuple[str, int, int]] = []
    opened = open_local(directory, progress=lambda *progress: told.append(progress))
    whole = sum(file.size_bytes for file in opened.files)
    assert told[-1] == ("checking", whole, whole)


def test_files_may_be_links_as_in_the_cache_of_the_hub(directory: Path, tmp_path: Path) -> None:
    moved = tmp_path / "blob"
    (directory / SHARDS[0]).rename(moved)
    (directory / SHARDS[0]).symlink_to(moved)
    assert open_local(directory).sha256_of(SHARDS[0]) == sha256(checkpoint()[SHARDS[0]])


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="does not exist"):
        open_local(tmp_path / "nothing")


def test_a_file_is_no_directory(directory: Path) -> None:
    with pytest.raises(WeightsError, match="is not a directory"):
        open_local(directory / "config.json")


def test_a_missing_config(directory: Path) -> None:
    (directory / "config.json").unlink()
    with pytest.raises(WeightsError, match=r"has no config\.json"):
        open_local(directory)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ('{"model_type": "whisper"}', "its model_type is whisper, not moss_audio"),
        ('{"model_type": 7}', "its model_type is not stated"),
        ("{}", "its model_type is not stated"),
        ("[]", "is not a JSON object"),
        ("{", "is not valid JSON"),
        ("[" * 100_000, "is not valid JSON"),
        ("\udcff", "is not valid JSON"),
    ],
)
def test_a_config_of_something_else(directory: Path, config: str, told: str) -> None:
    (directory / "config.json").write_bytes(config.encode(errors="surrogateescape"))
    with pytest.raises(WeightsError, match=told):
        open_local(directory)


def test_escape_codes_in_a_config_do_not_reach_the_terminal(directory: Path) -> None:
    (directory / "config.json").write_text('{"model_type": "\\u001b[2Jgone"}')
    with pytest.raises(WeightsError) as caught:
        open_local(directory)
    assert "\x1b" not in str(caught.value)


def test_pickled_weights_are_named_and_never_opened(directory: Path) -> None:
    for name in (*SHARDS, "model.safetensors.index.json"):
        (directory / name).unlink()
    with pytest.raises(
        WeightsError, match="no safetensors weights: only pickled ones, which are never opened"
    ):
        open_local(directory)
    (directory / "pytorch_model.bin").unlink()
    (directory / "training_args.pt").unlink()
    with pytest.raises(WeightsError, match=r"no safetensors weights\. "):
        open_local(directory)


def test_a_missing_shard_is_named(directory: Path) -> None:
    (directory / SHARDS[1]).unlink()
    with pytest.raises(WeightsError, match=f"is incomplete: {SHARDS[1]} missing"):
        open_local(directory)


def test_a_named_pipe_is_no_shard(directory: Path) -> None:
    """Opening it would wait for ever."""
    (directory / SHARDS[1]).unlink()
    os.mkfifo(directory / SHARDS[1])
    with pytest.raises(WeightsError, match="is incomplete"):
        open_local(directory)
