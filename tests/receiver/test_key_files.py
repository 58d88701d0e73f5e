"""Decisions about keys in a folder of results: a build reads what was written."""

from pathlib import Path

import pytest

from bench.errors import RecordError, UsageError
from bench.identity.confirmation import read_confirmation
from bench.receiver.confirming import Fetched
from bench.receiver.key_files import write_confirmed, write_revoked
from bench.site.known_keys import Confirmed, Revoked, read_known_keys
from bench.store import naming
from tests.identity.signers import URL, confirmation
from tests.receiver.sent import NOW
from tests.site.results import key_id

OTHER = URL.replace("ada", "countess")


def fetched(url: str = URL, seed: int = 1) -> Fetched:
    content = confirmation(url, seed=seed)
    return Fetched(read_confirmation(content, "x"), content)


def test_a_build_reads_the_account(tmp_path: Path) -> None:
    assert write_confirmed(tmp_path, fetched(), "known", NOW) is None
    assert write_confirmed(tmp_path, fetched(OTHER), "she has another name", NOW) == "github.com/ada"
    assert read_known_keys(tmp_path) == {key_id(1): Confirmed(fetched(OTHER).confirmation.account, NOW)}


def test_a_revoked_key_stays_revoked(tmp_path: Path) -> None:
    write_confirmed(tmp_path, fetched(), "known", NOW)
    write_revoked(tmp_path, key_id(1), "stolen", NOW)
    assert read_known_keys(tmp_path) == {key_id(1): Revoked("stolen")}
    with pytest.raises(UsageError, match="was revoked"):
        write_confirmed(tmp_path, fetched(), "known", NOW)
    with pytest.raises(UsageError, match="is revoked already"):
        write_revoked(tmp_path, key_id(1), "again", NOW)
    assert read_known_keys(tmp_path) == {key_id(1): Revoked("stolen")}


@pytest.mark.parametrize("key", ["../../x", "0123456789abcdef", "A" * 64])
def test_only_the_id_of_a_key_names_a_file(tmp_path: Path, key: str) -> None:
    with pytest.raises(UsageError, match="is no id of a key"):
        write_revoked(tmp_path, key, "stolen", NOW)
    assert list(tmp_path.iterdir()) == []


def test_where_a_receiver_decides_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        write_revoked(tmp_path / "none", key_id(1), "stolen", NOW)
    (tmp_path / naming.ORDER).touch()
    with pytest.raises(UsageError, match="is the export of a receiver"):
        write_confirmed(tmp_path, fetched(), "known", NOW)
    assert not (tmp_path / "keys").exists()


def test_a_damaged_decision_is_not_replaced(tmp_path: Path) -> None:
    write_revoked(tmp_path, key_id(1), "stolen", NOW)
    naming.key_file(tmp_path, key_id(1)).write_text("{", encoding="utf-8")
    with pytest.raises(RecordError):
        write_confirmed(tmp_path, fetched(), "known", NOW)
