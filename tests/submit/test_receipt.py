"""The receipt beside a bundle."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.errors import RecordError
from bench.store import naming
from bench.submit.receipt import Receipt, read_receipt, write_receipt

HASH = "sha256:" + "a" * 64


def receipt(site: str, salt: str | None = None) -> Receipt:
    return Receipt(
        site=site,
        id="0123456789abcdef",
        state="held",
        url=f"{site}/records/0123456789abcdef/",
        sent_at=datetime(2026, 6, 7, 20, 15, tzinfo=UTC),
        bundle_sha256="0" * 64,
        content_hash=HASH,
        log_salt=salt,
    )


def test_it_has_what_was_sent_where_and_is_no_record(tmp_path: Path) -> None:
    path = write_receipt(tmp_path / "r-0a1b2c3d.bundle.json", receipt("https://example.org/moss"))
    assert path == tmp_path / "r-0a1b2c3d.example.org-moss.receipt.json"
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "schema_version": "1.0",
        "site": "https://example.org/moss",
        "id": "0123456789abcdef",
        "state": "held",
        "url": "https://example.org/moss/records/0123456789abcdef/",
        "sent_at": "2026-06-07T20:15:00Z",
        "bundle_sha256": "0" * 64,
        "content_hash": HASH,
        "log_salt": None,
    }
    assert list(naming.records_below(tmp_path)) == []


def test_each_site_has_one_and_the_last_answer_counts(tmp_path: Path) -> None:
    for address in ("https://a.example", "hf://datasets/Org/name", "https://a.example"):
        write_receipt(tmp_path / "r.bundle.json", receipt(address))
    assert {path.name for path in tmp_path.iterdir()} == {
        "r.a.example.receipt.json",
        "r.datasets-org-name.receipt.json",
    }


def test_the_salt_of_the_first_answer_is_kept_when_the_same_record_is_sent_again(tmp_path: Path) -> None:
    bundle, first = tmp_path / "r.bundle.json", receipt("https://a.example", "b" * 32)
    write_receipt(bundle, first)
    again = write_receipt(bundle, receipt("https://a.example").model_copy(update={"state": "published"}))
    assert read_receipt(again) == first.model_copy(update={"state": "published"})
    other = receipt("https://a.example").model_copy(update={"content_hash": "sha256:" + "c" * 64})
    assert read_receipt(write_receipt(bundle, other)).log_salt is None


def test_the_salt_of_another_site_whose_file_has_the_same_name_is_not_kept(tmp_path: Path) -> None:
    bundle = tmp_path / "r.bundle.json"
    first = write_receipt(bundle, receipt("https://a-b.example", "b" * 32))
    again = write_receipt(bundle, receipt("https://a/b.example"))
    assert (again, read_receipt(again).log_salt) == (first, None)


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 20_000, b"\xff", b'{"schema_version": "9"}'])
def test_what_is_no_receipt_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.receipt.json"
    path.write_bytes(content)
    with pytest.raises(RecordError, match=r"cannot be read|is no receipt") as caught:
        read_receipt(path)
    assert len(str(caught.value).splitlines()) == 1
