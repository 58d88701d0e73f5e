"""Tells reruns on one card from runs on two cards, without telling anybody which card."""

import hashlib
import hmac
import secrets
from contextlib import suppress
from pathlib import Path

import platformdirs

_KEY_BYTES = 32


def machine_key(gpu_uuid: str | None, key_file: Path | None = None) -> str | None:
    """HMAC-SHA-256 of the GPU's UUID with a key that never leaves this machine; None without a UUID.

    Raises:
        OSError: the key can neither be read nor written.
    """
    if gpu_uuid is None:
        return None
    path = key_file or Path(platformdirs.user_config_dir("moss-audio-bench")) / "machine-key"
    return hmac.new(_key(path), gpu_uuid.encode(), hashlib.sha256).hexdigest()[:32]


def _key(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError), path.open("xb") as file:
        path.chmod(0o600)
        file.write(secrets.token_bytes(_KEY_BYTES))
    return path.read_bytes()
