"""The Ed25519 key of this user, in a file that nobody else can read. It is made on first use.

CONFIG/identity/key.pem             the key: PKCS #8, not encrypted; mode 0600 in a folder of mode 0700
                key-ID.pem          a key that was replaced; ID begins its id
"""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.errors import IdentityError
from bench.identity.dsse import public_key_of
from bench.store.record_files import sync_folder
from bench.store.untrusted import kind_of, read_file
from bench.store.user_folders import config_folder

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner

ID_DIGITS: Final = 16
"""Digits of a key's id that people are shown."""
_FOLDER: Final = "identity"
_NAME: Final = "key.pem"
_MAX_BYTES: Final = 10_000
_ROTATE: Final = "If others may have read it, replace it: bench submit --rotate-key"
_MOVE: Final = "Move it away to get a new key, or put back a copy of the old one"


@dataclass(frozen=True)
class SigningKey:
    """The key of this user, and where it is."""

    signer: "CryptoSigner"
    path: Path

    @property
    def key_id(self) -> str:
        """SHA-256 of the public key with its type, in hex."""
        return self.signer.public_key.keyid

    @property
    def public_key(self) -> str:
        """The 32 bytes of the public key, in hex."""
        return public_key_of(self.signer)

    @property
    def since(self) -> datetime:
        """Time of the file. It proves nothing: anybody can set it."""
        return datetime.fromtimestamp(self.path.stat().st_mtime, UTC)

    @property
    def mode(self) -> int:
        """Permissions of the file."""
        return stat.S_IMODE(self.path.stat().st_mode)


def key_path() -> Path:
    """Return the file of the key, which may not exist yet.

    Raises:
        IdentityError: this user has no home folder.
    """
    try:
        return config_folder() / _FOLDER / _NAME
    except OSError as error:
        raise IdentityError(
            f"no key can be kept: {error.strerror}", hint="Set HOME or XDG_CONFIG_HOME"
        ) from error


def find_key() -> SigningKey | None:
    """Return the key; None before its first use.

    Raises:
        IdentityError: there is a key that cannot be used, or that others can read.
    """
    path = key_path()
    if kind_of(path) is None and not path.is_symlink():
        return None
    _require_private(path.parent, 0o700)
    _require_private(path, 0o600)
    return SigningKey(_read(path), path)


def open_key() -> SigningKey:
    """Return the key, made now if there is none.

    Raises:
        IdentityError: there is a key that cannot be used, or that others can read; or none can be written.
    """
    found = find_key()
    if found is not None:
        return found
    path = key_path()
    if kind_of(path.parent) == "folder":
        _require_private(path.parent, 0o700)
    with _write_errors(path):
        _make(path)
    found = find_key()
    if found is None:
        raise IdentityError(f"{path}: the new key has disappeared", hint="Try again")
    return found


def rotate_key() -> tuple[Path | None, SigningKey]:
    """Make a new key. Return where the old one is kept, if there was one, and the new one.

    An old key that others can read is replaced as well.

    Raises:
        IdentityError: the old key cannot be read, or the new one not be written.
    """
    path, aside = key_path(), None
    if kind_of(path) is not None or path.is_symlink():
        aside = path.with_name(f"key-{_read(path).public_key.keyid[:ID_DIGITS]}.pem")
        with _write_errors(path):
            path.chmod(0o600)
            path.parent.chmod(0o700)
            path.replace(aside)
            sync_folder(path.parent)
    return aside, open_key()


@contextmanager
def _write_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise IdentityError(
            f"{path}: the key cannot be written ({error.strerror or error})",
            hint="Make its folder writable, or set XDG_CONFIG_HOME to another one",
        ) from error


def _make(path: Path) -> None:
    """Write a new key. Of two processes that do so at once, both use the first one's key."""
    from securesystemslib.signer import CryptoSigner

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(CryptoSigner.generate_ed25519().private_bytes)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(temporary)  # unlike a rename, a link never replaces what is there
        sync_folder(path.parent)
    finally:
        Path(temporary).unlink()


def _read(path: Path) -> "CryptoSigner":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    try:
        key = load_pem_private_key(read_file(path, _MAX_BYTES), None)
    except OSError as error:
        raise IdentityError(f"{path}: the key cannot be read ({error.strerror})", hint=_MOVE) from error
    except TypeError as error:
        raise IdentityError(f"{path}: the key is encrypted, which bench cannot use", hint=_MOVE) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise IdentityError(f"{path}: is not a private key in PEM", hint=_MOVE) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise IdentityError(f"{path}: is not an Ed25519 key", hint=_MOVE)
    return CryptoSigner(key)


def _require_private(path: Path, mode: int) -> None:
    """Refuse what belongs to another user, or what others can read or replace. Windows has no such modes."""
    if os.name == "nt":
        return
    try:
        found = path.stat()
    except OSError as error:
        raise IdentityError(f"{path}: cannot be read ({error.strerror})", hint=_MOVE) from error
    if found.st_uid != os.geteuid():
        raise IdentityError(f"{path}: belongs to another user", hint="Run bench as the owner of the key")
    if found.st_mode & 0o077:
        stated = f"mode {stat.S_IMODE(found.st_mode):04o} lets others use the key"
        raise IdentityError(f"{path}: {stated}", hint=f"chmod {mode:o} {path}. {_ROTATE}")
