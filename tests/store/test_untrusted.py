"""What is no regular file is refused at once: nobody opens the other end of the pipes here."""

import os
import socket
import sys
from pathlib import Path

import pytest

from bench.audio.decoding import decode
from bench.errors import BenchError
from bench.predict.allocator.recorded import read_allocator_trace
from bench.store.journal import read_progress
from bench.store.record_files import find_records, read_record
from bench.store.untrusted import kind_of, open_file, read_file
from bench.suite.suite import read_suite
from bench.weights.checkpoint import config_sha256, read_json, require_moss_audio
from bench.weights.files import hash_files
from bench.weights.header import read_header

READERS = {
    "suite": read_suite,
    "record": read_record,
    "journal": read_progress,
    "audio": decode,
    "allocator trace": read_allocator_trace,
    "configuration": read_json,
    "hash of a configuration": config_sha256,
    "header of weights": read_header,
    "weights": lambda path: hash_files({"model.safetensors": path}),
}
"""Everything that reads a file which anybody may have made."""

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files in folders")


def refusal(path: Path, limit_bytes: int = 100) -> str:
    with pytest.raises(OSError, match=r".") as caught:
        read_file(path, limit_bytes)
    assert caught.value.strerror is not None
    return caught.value.strerror


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe.json"
    os.mkfifo(path)
    return path


def test_a_file_is_read_whole_up_to_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\r\n\x1a" * 5)
    assert read_file(path, 15) == b"\r\n\x1a" * 5
    assert refusal(path, 14) == "it is larger than 14 bytes"


def test_a_file_of_the_kernel_that_states_no_size_is_limited_too() -> None:
    path = Path("/proc/self/status")
    if not path.exists():
        pytest.skip("only Linux has this file")
    assert path.stat().st_size == 0
    assert read_file(path, 100_000).startswith(b"Name:")
    assert refusal(path) == "it is larger than 100 bytes"


@posix
@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_no_reader_awaits_a_pipe(read: object, pipe: Path) -> None:
    assert callable(read)
    with pytest.raises(BenchError, match="it is not a regular file") as caught:
        read(pipe)
    assert str(pipe) in str(caught.value)


@posix
@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize("path", ["/dev/zero", "/dev/tty"])
def test_no_reader_opens_a_device(read: object, path: str) -> None:
    assert callable(read)
    with pytest.raises(BenchError, match="it is not a regular file"):
        read(Path(path))


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize("name", ["zero\0byte", "a" * 5000, "half\ud800"], ids=["zero", "long", "half"])
def test_a_name_that_no_file_can_have_is_an_error_of_one_line(
    read: object, name: str, tmp_path: Path
) -> None:
    assert callable(read)
    with pytest.raises(BenchError) as caught:
        read(tmp_path / name)
    assert len(str(caught.value).splitlines()) == 1


@posix
def test_sockets_folders_loops_and_closed_files_are_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(tmp_path)  # the address of a socket is short
        server.bind("socket")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert refusal(tmp_path / "socket") == "it is not a regular file"
    assert refusal(tmp_path) == "it is a folder"
    assert "symbolic link" in refusal(tmp_path / "loop").lower()
    assert refusal(tmp_path / "zero\0byte") == "no file can have this name"


@posix
def test_a_pipe_that_takes_the_name_of_a_file_is_refused_as_well(
    tmp_path: Path, pipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the name and the opening: the writer's end is never awaited."""
    monkeypatch.setattr("bench.store.untrusted._mode", lambda path: (tmp_path / "file").stat().st_mode)
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="not a regular file"), open_file(pipe):
        pass


@posix
def test_the_writer_of_a_pipe_sees_no_reader(pipe: Path) -> None:
    refusal(pipe)
    with pytest.raises(OSError, match="No such device or address"):
        os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)


@posix
def test_a_kind_is_known_of_every_name(tmp_path: Path, pipe: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "link").symlink_to("file")
    assert [kind_of(tmp_path / name) for name in ("file", "link", ".", pipe.name)] == [
        "file",
        "file",
        "folder",
        "other",
    ]
    for name in ("missing", "dangling", "zero\0byte", "a" * 5000, "file/below"):
        assert kind_of(tmp_path / name) is None


@posix
def test_a_pipe_in_a_folder_of_records_is_named(pipe: Path) -> None:
    """Left out in silence, a report would look whole."""
    assert find_records(pipe.parent) == (pipe,)


@posix
def test_a_pipe_as_configuration_is_not_called_missing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(BenchError, match=r"config\.json cannot be read: it is not a regular file"):
        require_moss_audio(tmp_path)


def test_the_flags_exist_where_they_matter() -> None:
    assert hasattr(os, "O_NONBLOCK") or sys.platform == "win32"
