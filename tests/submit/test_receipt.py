"""The receipt beside a bundle."""

import json
from datetime import UTC, datetime
from pathlib import Path

from bench.store import naming
from bench.submit.receipt import Receipt, write_receipt


def receipt(site: str) -> Receipt:
    return Receipt(
        site=site,
        id="0123456789abcdef",
        state="held",
        url=f"{site}/records/0123456789abcdef/",
        sent_at=datetime(2026, 6, 7, 20, 15, tzinfo=UTC),
        bundle_sha256="0" * 64,
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
    }
    assert list(naming.records_below(tmp_path)) == []


def test_each_site_has_one_and_the_last_answer_counts(tmp_path: Path) -> None:
    for address in ("https://a.example", "hf://datasets/Org/name", "https://a.example"):
        write_receipt(tmp_path / "r.bundle.json", receipt(address))
    assert {path.name for path in tmp_path.iterdir()} == {
        "r.a.example.receipt.json",
        "r.datasets-org-name.receipt.json",
    }
