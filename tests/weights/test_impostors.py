"""Files with the name of a checkpoint's file and another content."""

from pathlib import Path

import pytest

from bench.errors import WeightsError
from bench.weights.checkpoint import shards
from bench.weights.header import read_header
from bench.weights.local import open_local
from tests.weights.samples import SHARDS

POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 7234567\n"
)
PAGE = b"\n<!DOCTYPE html>\n<html><body>Not found</body></html>"


def refused(directory: Path) -> str:
    with pytest.raises(WeightsError) as caught:
        open_local(directory)
    line = str(caught.value)
    assert line.isprintable()
    return line


@pytest.mark.parametrize("name", [SHARDS[1], "tokenizer.json", "config.json", "model.safetensors.index.json"])
def test_a_pointer_says_git_lfs_pull(directory: Path, name: str) -> None:
    (directory / name).write_bytes(POINTER)
    assert refused(directory) == (
        f"{directory / name} is a pointer of Git LFS, not the file itself. "
        f"Run `git lfs install` and then `git lfs pull` in {directory}"
    )


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (PAGE, "is a web page, not the file itself. Download it from the address with /resolve/"),
        (b"", "is empty. Download it again"),
    ],
)
@pytest.mark.parametrize("name", [SHARDS[0], "config.json", "tokenizer_config.json"])
def test_pages_and_empty_files_are_named(directory: Path, name: str, content: bytes, line: str) -> None:
    (directory / name).write_bytes(content)
    assert f"{directory / name} {line}" in refused(directory)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["config.json", "processor_config.json", "chat_template.jinja"])
def test_text_that_transformers_does_not_read_is_named(directory: Path, name: str, encoding: str) -> None:
    (directory / name).write_bytes((directory / name).read_text(encoding="utf-8").encode(encoding))
    line = refused(directory)
    assert f"{directory / name} begins with a byte order mark" in line
    assert "Save it as UTF-8 without a byte order mark" in line


def test_a_pointer_in_the_cache_is_named_by_whoever_reads_the_header(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(POINTER)
    with pytest.raises(WeightsError, match="pointer of Git LFS"):
        read_header(tmp_path / "model.safetensors")


@pytest.mark.parametrize(
    "left",
    [
        f"{SHARDS[1]}.incomplete",
        f".cache/huggingface/download/{SHARDS[1]}.9f8a.incomplete",
        f"{SHARDS[1]}.crdownload",
    ],
)
def test_a_download_that_has_not_ended_is_named(directory: Path, left: str) -> None:
    (directory / left).parent.mkdir(parents=True, exist_ok=True)
    (directory / SHARDS[1]).rename(directory / left)
    with pytest.raises(WeightsError) as caught:
        shards(directory)
    assert f"{SHARDS[1]} missing, and a download is unfinished ({Path(left).name})" in str(caught.value)


def test_a_shard_that_the_index_names_and_nobody_began_is_missing(directory: Path) -> None:
    (directory / SHARDS[1]).unlink()
    assert f"is incomplete: {SHARDS[1]} missing. Download it again" in refused(directory)
