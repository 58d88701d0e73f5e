"""Files that have the name of a checkpoint's file and another content: pointers, web pages, empty files."""

import codecs
from pathlib import Path
from typing import Final

from bench.errors import WeightsError
from bench.store.untrusted import open_file

_LOOKED_AT_BYTES: Final = 256
_POINTER: Final = b"version https://git-lfs.github.com/spec/"
_PAGES: Final = (b"<!doctype html", b"<html")
_BEGUN_BY_BROWSERS: Final = (".part", ".crdownload", ".download")
_MARKS: Final = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def is_page(beginning: bytes) -> bool:
    """Whether a file with this beginning is a web page."""
    return beginning[:_LOOKED_AT_BYTES].lstrip().lower().startswith(_PAGES)


def require_genuine(path: Path, *, text: bool) -> None:
    """Refuse a file whose beginning shows that it is not what its name says. `text`: it should be UTF-8.

    Raises:
        WeightsError: a pointer of Git LFS, a web page, nothing, text with a byte order mark; or unreadable.
    """
    try:
        with open_file(path) as file:
            beginning = file.read(_LOOKED_AT_BYTES)
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be read: {error.strerror}", hint="Check the disk and the file's permissions"
        ) from error
    if not beginning:
        raise WeightsError(f"{path} is empty", hint="Download it again")
    if beginning.startswith(_POINTER):
        raise WeightsError(
            f"{path} is a pointer of Git LFS, not the file itself",
            hint=f"Run `git lfs install` and then `git lfs pull` in {path.parent}",
        )
    if is_page(beginning):
        raise WeightsError(
            f"{path} is a web page, not the file itself",
            hint="Download it from the address with /resolve/ in place of /blob/, or with `hf download`",
        )
    if text and beginning.startswith(_MARKS):
        raise WeightsError(
            f"{path} begins with a byte order mark, which transformers does not read",
            hint="Save it as UTF-8 without a byte order mark, or download it again",
        )


def unfinished(directory: Path, name: str) -> str | None:
    """Return the name of what a broken download of a file left in its folder; None without such a file."""
    places = (directory, directory / ".cache" / "huggingface" / "download")
    left = [path.name for place in places for path in sorted(place.glob(f"{name}*.incomplete"))]
    by_browsers = (f"{name}{suffix}" for suffix in _BEGUN_BY_BROWSERS)
    left += [each for each in by_browsers if (directory / each).exists()]
    return left[0] if left else None
