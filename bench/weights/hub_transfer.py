"""Transfer of files from the Hub into the cache; a file gets its name there once it is verified.

Files go into the cache that huggingface_hub keeps, so other tools find them. Its own `hf_hub_download`
neither compares a file with its stated hash nor, in recent versions, keeps the partial file of a process
that ended; its `http_get` does the transfer here, and this module does both around it.
"""

import errno
import io
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from huggingface_hub import constants, hf_hub_url
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # documented there, not marked as exported
    WeakFileLock,
    are_progress_bars_disabled,
    build_hf_headers,
    disable_progress_bars,
    enable_progress_bars,
)
from huggingface_hub.utils import (
    logging as hub_logging,
)

from bench.errors import WeightsError
from bench.records.record import WeightFile
from bench.weights.files import hash_files
from bench.weights.hub_cache import CachedFile, DownloadPlan, RemoteFile, repo_folder
from bench.weights.hub_errors import CAUGHT, PortalError, is_unreachable
from bench.weights.impostors import is_page
from bench.weights.interface import Progress

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_PATIENCE_S: Final = 0.2
"""A lock that is not free within this time is worth a word."""

_REPLACEMENT: Final = "HF_HUB_ENABLE_HF_TRANSFER"
_NO_LOCKS: Final = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


class Transfer:
    """One download: transfers, verifies and places groups of files, and reports its progress.

    Files that are there already count as done when their turn comes.
    """

    def __init__(self, plan: DownloadPlan, progress: Progress) -> None:
        self._plan = plan
        self._progress = progress
        self._folder = repo_folder(plan.cache_dir, plan.repo)
        self._done = 0

    def stage(self, files: Sequence[RemoteFile], checking: Progress) -> tuple[WeightFile, ...]:
        """Transfer these files, verify all of them on disk, then put them in place.

        `checking` receives the progress of the check; the transfer reports to that of the whole download.

        Raises:
            WeightsError: a file has another hash; it is removed.
        """
        places = [CachedFile(self._folder, self._plan.commit, file) for file in files]
        for place in places:
            self._fetch(place)
        seen = hash_files({place.file.name: place.current() for place in places}, checking)
        for place, found in zip(places, seen, strict=True):
            if not place.matches(found):
                place.discard()
                raise WeightsError(
                    f"{found.name} of {self._plan.repo} is not what the Hub states: its checksum differs",
                    hint="The file was removed: run the same command again to download it",
                )
        for place in places:
            place.settle()
        return seen

    def _fetch(self, place: CachedFile) -> None:
        before, file = self._done, place.file
        self._done += file.size_bytes
        if place.current().exists() and not place.missing_bytes():
            return
        if place.missing_bytes() == file.size_bytes:
            place.discard()
        place.partial.parent.mkdir(parents=True, exist_ok=True)
        place.partial.touch()

        def report(there: int) -> None:
            self._progress(f"downloading {file.name}", before + there, self._plan.total_bytes)

        while missing := place.missing_bytes():
            try:
                self._request(place, file.size_bytes - missing, report)
            except CAUGHT as error:
                # Not every version of http_get asks again after a cut: go on while each attempt brings more.
                if not is_unreachable(error) or place.missing_bytes() >= missing:
                    raise

    def _request(self, place: CachedFile, start: int, report: Callable[[int], None]) -> None:
        file = place.file
        with _Reporting(place.partial, report) as target:
            http_get(
                hf_hub_url(self._plan.repo, file.name, revision=self._plan.commit),
                cast("BinaryIO", target),
                resume_size=start,
                headers=build_hf_headers(),
                expected_size=file.size_bytes,
            )


class _Reporting(io.BufferedWriter):
    """A file open for appending that reports its size after each write; it takes no web page."""

    def __init__(self, path: Path, report: Callable[[int], None]) -> None:
        super().__init__(io.FileIO(path, "ab"))
        self._report = report
        self._begun = False

    def write(self, data: "ReadableBuffer", /) -> int:
        """Append `data` and report.

        Raises:
            PortalError: the data are a web page, which would spoil what is on the disk already.
        """
        if not self._begun and is_page(bytes(memoryview(data)[:256])):
            raise PortalError("a web page")
        self._begun = True
        count = super().write(data)
        self._report(self.tell())
        return count


@contextmanager
def only_one(plan: DownloadPlan, progress: Progress) -> Iterator[None]:
    """Let one process at a time download a repository; a complete one may be read-only.

    Where the file system has no locks, nothing keeps a second process from the same download.
    """
    if not plan.missing_bytes:
        yield
        return
    path = plan.cache_dir / ".locks" / repo_folder(plan.cache_dir, plan.repo).name / "bench.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(WeakFileLock(path, timeout=_PATIENCE_S))
        except TimeoutError:
            progress("waiting for another download", 0, plan.total_bytes)
            stack.enter_context(WeakFileLock(path))
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        yield


@contextmanager
def silent() -> Iterator[None]:
    """Keep huggingface_hub's bars and log lines off the terminal; restores its settings.

    Before 1.0 HF_HUB_ENABLE_HF_TRANSFER=1 puts a package in place of `http_get`. It may be missing, and it
    cannot continue a transfer: it is off here too.
    """
    bars_were_off, verbosity = are_progress_bars_disabled(), hub_logging.get_verbosity()
    replaced = vars(constants).get(_REPLACEMENT, False)
    disable_progress_bars()
    hub_logging.set_verbosity(logging.ERROR)
    setattr(constants, _REPLACEMENT, False)
    try:
        yield
    finally:
        setattr(constants, _REPLACEMENT, replaced)
        hub_logging.set_verbosity(verbosity)
        if not bars_were_off:
            enable_progress_bars()
