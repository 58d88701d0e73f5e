"""The folders of this user for caches and settings."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Final

import platformdirs

from bench.store import naming

_HOMELESS: Final = "this user has no home folder"


def cache_folder() -> Path:
    """Return the folder for what can be made again.

    Raises:
        OSError: this user has no home folder.
    """
    return _known(platformdirs.user_cache_path)


def config_folder() -> Path:
    """Return the folder for what cannot be made again.

    Raises:
        OSError: this user has no home folder.
    """
    return _known(platformdirs.user_config_path)


def _known(folder_of: Callable[[str], Path]) -> Path:
    try:
        path = folder_of(naming.USER_FOLDER)
    except RuntimeError as error:
        raise OSError(errno.ENOENT, _HOMELESS) from error
    if path.parts[:1] == ("~",):  # an older platformdirs: a folder named `~`, here
        raise OSError(errno.ENOENT, _HOMELESS)
    return path
