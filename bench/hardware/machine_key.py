"""A keyed hash that distinguishes reruns on one card from runs on two, without identifying the card."""

import hashlib
import hmac
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from bench.store.user_folders import config_folder

_KEY_BYTES = 32


def machine_key(gpu_uuid: str | None, key_file: Path | None = None) -> str | None:
    """HMAC-SHA-256 of the GPU's UUID with a key that never leaves this machine.

    None without a UUID, and where no key can be kept (a home folder that nothing can be written to): a key
    for one run would distinguish nothing.
    """
    if gpu_uuid is None:
        return None
    try:
        path = key_file or config_folder() / "machine-key"
        if path.exists() and not path.is_file():  # a pipe would be waited for
            return None
        key = path.read_bytes() if path.exists() else _new_key(path)
    except OSError:
        return None
    if len(key) != _KEY_BYTES:  # cut short by hand or by a full disk: too easy to guess
        return None
    return hmac.new(key, gpu_uuid.encode(), hashlib.sha256).hexdigest()[:32]


def _new_key(path: Path) -> bytes:
    """Create the key of this machine. Two processes that do so at once both use the first one's key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=".machine-key.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(temporary)  # unlike a rename, a link never replaces what is there
    finally:
        Path(temporary).unlink()
    return path.read_bytes()
