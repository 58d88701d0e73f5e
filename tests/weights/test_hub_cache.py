"""The cache as files: without links, in part, in use by another process, and what is noted of branches."""

import errno
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import pytest

from bench.weights.files import hash_files
from bench.weights.hub_cache import CachedFile, DownloadPlan, RemoteFile, remember_revision
from bench.weights.hub_transfer import only_one
from bench.weights.interface import quiet
from tests.hub_server import git_sha1, sha256

COMMIT = "c" * 40
CONTENT = b"some weights"
FILE = RemoteFile("model.safetensors", len(CONTENT), sha256(CONTENT), None)


@pytest.fixture
def place(tmp_path: Path) -> CachedFile:
    (tmp_path / "blobs").mkdir()
    return CachedFile(tmp_path, COMMIT, FILE)


@pytest.fixture
def no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows without the right to make them, which cannot be had for real here."""

    def refuse(self: Path, target: object) -> None:
        raise OSError(1314, "A required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refuse)


def test_content_settles_as_a_link_to_its_blob(place: CachedFile) -> None:
    place.partial.write_bytes(CONTENT)
    place.settle()
    assert place.link.read_bytes() == CONTENT
    assert place.link.resolve() == place.blob.resolve()
    assert place.missing_bytes() == 0


def test_without_links_there_is_one_copy(place: CachedFile, no_links: None) -> None:
    place.partial.write_bytes(CONTENT)
    place.settle()
    assert place.link.read_bytes() == CONTENT
    assert not place.blob.exists()
    assert not place.partial.exists()
    assert place.missing_bytes() == 0


def test_what_is_missing_shrinks_as_content_arrives(place: CachedFile) -> None:
    assert place.missing_bytes() == len(CONTENT)
    place.partial.write_bytes(CONTENT[:5])
    assert place.missing_bytes() == len(CONTENT) - 5


def test_more_than_the_stated_size_counts_as_nothing(place: CachedFile) -> None:
    place.partial.write_bytes(CONTENT + b"!")
    assert place.missing_bytes() == len(CONTENT)


def test_small_files_are_compared_by_the_hash_that_git_gives_them(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    place = CachedFile(tmp_path, COMMIT, RemoteFile("config.json", 2, None, git_sha1(b"{}")))
    place.partial.write_bytes(b"{}")
    assert place.matches(hash_files({"config.json": place.partial})[0])
    place.partial.write_bytes(b"[]")
    assert not place.matches(hash_files({"config.json": place.partial})[0])


def test_a_revision_is_noted_only_inside_the_cache(tmp_path: Path) -> None:
    remember_revision(tmp_path / "cache", "refs/pr/1", COMMIT)
    assert (tmp_path / "cache/refs/refs/pr/1").read_text() == COMMIT
    remember_revision(tmp_path / "cache", "../../outside", COMMIT)
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_cache_without_locks_is_used_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """As on some network shares, which cannot be had for real here."""
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_: object) -> None:
        raise OSError(number, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    plan = DownloadPlan("a/b", "main", COMMIT, (FILE,), tmp_path, len(CONTENT), 10**9)
    with only_one(plan, quiet):
        pass


def test_who_waits_for_another_download_is_told_so(tmp_path: Path) -> None:
    plan = DownloadPlan("a/b", "main", COMMIT, (FILE,), tmp_path, len(CONTENT), 10**9)
    told = Event()
    with ThreadPoolExecutor() as pool, ExitStack() as first:
        first.enter_context(only_one(plan, quiet))

        def second() -> bool:
            with only_one(plan, lambda label, done, total: told.set()):
                return True

        waiting = pool.submit(second)
        assert told.wait(timeout=30)
        assert not waiting.done()
        first.close()
        assert waiting.result(timeout=30)
