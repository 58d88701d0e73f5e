"""The key of a user: made once, read by its owner alone, and replaced without a loss."""

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)
from securesystemslib.signer import CryptoSigner

from bench.errors import IdentityError
from bench.identity.dsse import key_id_of
from bench.identity.keys import ID_DIGITS, find_key, key_path, open_key, rotate_key

modes = pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@modes
def test_the_key_is_made_on_first_use_for_its_owner_alone() -> None:
    assert find_key() is None
    key = open_key()
    assert (mode(key.path), mode(key.path.parent)) == (0o600, 0o700)
    assert [path.name for path in key.path.parent.iterdir()] == ["key.pem"]
    assert key.mode == 0o600
    again = open_key()
    assert again.key_id == key.key_id == key_id_of(key.public_key)
    found = find_key()
    assert found is not None
    assert found.key_id == key.key_id


def test_two_that_make_it_at_once_use_the_same(config: Path) -> None:
    code = "from bench.identity.keys import open_key; print(open_key().key_id)"

    def ask(_: int) -> str:
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(ask, range(3)))) == 1
    assert [path.name for path in key_path().parent.iterdir()] == ["key.pem"]


def test_a_replaced_key_is_kept_under_its_id() -> None:
    old = open_key()
    aside, new = rotate_key()
    assert aside == old.path.with_name(f"key-{old.key_id[:ID_DIGITS]}.pem")
    assert new.key_id != old.key_id
    assert new.path == old.path
    aside.replace(old.path)  # what a person does who wants it back
    assert open_key().key_id == old.key_id


def test_without_a_key_rotation_makes_one() -> None:
    aside, new = rotate_key()
    assert aside is None
    assert open_key().key_id == new.key_id


@modes
@pytest.mark.parametrize(("name", "wrong", "right"), [("key.pem", 0o644, 0o600), ("", 0o755, 0o700)])
def test_a_key_that_others_can_use_is_refused(name: str, wrong: int, right: int) -> None:
    path = open_key().path.parent / name
    path.chmod(wrong)
    with pytest.raises(IdentityError) as caught:
        open_key()
    line = str(caught.value)
    assert f"mode {wrong:04o} lets others use the key" in line
    assert f"chmod {right:o} {path}" in line
    assert "--rotate-key" in line
    rotate_key()
    assert (mode(key_path()), mode(key_path().parent)) == (0o600, 0o700)


@modes
def test_no_key_is_put_into_a_folder_that_others_can_use(config: Path) -> None:
    folder = key_path().parent
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    for use in (open_key, rotate_key):
        with pytest.raises(IdentityError, match="mode 0755 lets others use the key"):
            use()
    assert list(folder.iterdir()) == []
    folder.chmod(0o700)
    assert open_key().path.parent == folder


def encrypted() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not a private key in PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "is not a private key in PEM"),
        (b"x" * 20_000, "cannot be read"),
        (encrypted(), "is encrypted"),
        (CryptoSigner.generate_ecdsa().private_bytes, "is not an Ed25519 key"),
    ],
)
def test_a_file_that_is_no_such_key_is_one_line(content: bytes, says: str) -> None:
    path = open_key().path
    path.write_bytes(content)
    for use in (open_key, find_key, rotate_key):
        with pytest.raises(IdentityError) as caught:
            use()
        line = str(caught.value)
        assert says in line
        assert "Move it away" in line
        assert line.isprintable()
    assert path.read_bytes() == content, "nothing replaces it"


@modes
def test_a_pipe_or_a_dangling_link_in_its_place_is_not_waited_for() -> None:
    path = open_key().path
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(IdentityError, match="it is not a regular file"):
        open_key()
    path.unlink()
    path.symlink_to("absent")
    with pytest.raises(IdentityError, match="cannot be read"):
        open_key()


def test_a_disk_that_refuses_is_one_line(config: Path) -> None:
    config.write_text("a file in place of the folder")
    with pytest.raises(IdentityError, match="the key cannot be written"):
        open_key()


@modes
def test_a_user_without_a_home_has_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)

    def unknown(_: int) -> None:
        raise KeyError

    monkeypatch.setattr("pwd.getpwuid", unknown)
    with pytest.raises(IdentityError, match="no key can be kept: this user has no home folder"):
        open_key()
