"""The receipt beside a bundle."""

import json
from datetime import UTC, datetime
from pathlib import Path

from bench.store import naming
from bench.submit.answer import Accepted, read_answer
from bench.submit.receipt import write_receipt
from bench.submit.site_address import site_of
from tests.submit.site_server import ID
from tests.submit.site_server import accepted as taken

AT = datetime(2026, 6, 7, 20, 15, tzinfo=UTC)


def accepted() -> Accepted:
    read = read_answer(Accepted, taken().body)
    assert read is not None
    return read


def test_it_has_what_was_sent_where_and_is_no_record(tmp_path: Path) -> None:
    bundle = tmp_path / "r-0a1b2c3d.bundle.json"
    path = write_receipt(bundle, site_of("https://example.org/moss"), accepted(), "0" * 64, AT)
    assert path == tmp_path / "r-0a1b2c3d.example.org-moss.receipt.json"
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "schema_version": "1.0",
        "site": "https://example.org/moss",
        "id": ID,
        "state": "held",
        "url": f"https://example.org/moss/records/{ID}/",
        "sent_at": "2026-06-07T20:15:00Z",
        "bundle_sha256": "0" * 64,
    }
    assert list(naming.records_below(tmp_path)) == []


def test_each_site_has_one_and_the_last_answer_counts(tmp_path: Path) -> None:
    bundle = tmp_path / "r.bundle.json"
    for address in ("https://a.example", "https://b.example", "https://a.example"):
        write_receipt(bundle, site_of(address), accepted(), "0" * 64, AT)
    assert len(list(tmp_path.iterdir())) == 2
