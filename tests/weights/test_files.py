"""Which files of a repository are needed, and their hashes."""

from pathlib import Path

import pytest

from bench.errors import WeightsError
from bench.weights.files import git_blob_sha1, hash_files, is_needed
from tests.hub_server import git_sha1, sha256


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("model.safetensors", True),
        ("model-00001-of-00002.safetensors", True),
        ("model.safetensors.index.json", True),
        ("tokenizer.json", True),
        ("pytorch_model.bin", False),
        ("modeling_moss.py", False),
        ("onnx/model.safetensors", False),
        ("other.safetensors", False),
        ("README.md", False),
    ],
)
def test_only_weights_without_code_and_what_reads_them_is_needed(name: str, needed: bool) -> None:
    assert is_needed(name) is needed


def test_every_file_is_hashed_in_order_and_its_bytes_are_reported(tmp_path: Path) -> None:
    contents = {"config.json": b"{}", "model.safetensors": bytes(100_000), "empty.json": b""}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    reported: list[tuple[str, int, int]] = []
    found = hash_files({name: tmp_path / name for name in contents}, lambda *stage: reported.append(stage))
    assert [(file.name, file.size_bytes, file.sha256) for file in found] == [
        (name, len(content), sha256(content)) for name, content in contents.items()
    ]
    assert reported[-1] == ("checking", 100_002, 100_002)
    assert [done for _, done, _ in reported] == sorted(done for _, done, _ in reported)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"config\.json cannot be read: No such file"):
        hash_files({"config.json": tmp_path / "config.json"})


def test_a_small_file_has_the_name_that_git_gives_it(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b"{}")
    assert git_blob_sha1(tmp_path / "config.json") == git_sha1(b"{}")
