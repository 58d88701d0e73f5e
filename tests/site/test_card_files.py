"""The files of one card that has no other site around it."""

import json
from dataclasses import replace
from pathlib import Path

from bench.site import places
from bench.store.canonical import canonical
from tests.site.results import CARD, MODEL, PAGE, RUN, built, entry_id, files_of, put, run, sealed
from tests.validate.edits import document_of
from tests.validate.recipes import UNLISTED


def test_a_record_by_itself_is_published_as_it_is(tmp_path: Path) -> None:
    path = put(tmp_path / "results", run(1))
    built(tmp_path / "results", tmp_path / "public")
    files = files_of(tmp_path / "public")
    assert files[places.record_json(entry_id(run(1)))] == path.read_bytes()
    assert places.record_bundle(entry_id(run(1))) not in files


def test_a_record_from_a_bundle_can_be_hashed_by_anybody(tmp_path: Path) -> None:
    path = put(tmp_path / "results", run(1), key=1)
    built(tmp_path / "results", tmp_path / "public")
    files = files_of(tmp_path / "public")
    content = files[places.record_json(entry_id(run(1)))]
    assert content == canonical(json.loads(content)) + b"\n"
    assert files[places.record_bundle(entry_id(run(1)))] == path.read_bytes()


def test_the_check_document_links_to_its_records(tmp_path: Path) -> None:
    put(tmp_path / "results", run(1))
    put(tmp_path / "results", run(2))
    built(tmp_path / "results", tmp_path / "public")
    place = tmp_path / "public" / places.card_check(*PAGE)
    records = json.loads(place.read_bytes())["records"]
    assert len(records) == 2
    for record in records:
        linked = json.loads((place.parent / record["path"]).read_bytes())
        assert linked["content_hash"] == record["hash"]


def test_a_card_that_the_catalog_lacks_has_a_page_under_its_own_name(tmp_path: Path) -> None:

    record = run(1, replace(RUN, card=UNLISTED))
    put(tmp_path / "results", record)
    built(tmp_path / "results", tmp_path / "public")
    page = tmp_path / "public" / places.card_page(MODEL, record.device.slug)
    assert UNLISTED in page.read_text(encoding="utf-8")
    assert record.device.slug != CARD


def test_no_record_renames_a_card_of_the_catalog(tmp_path: Path) -> None:
    renamed = {"device.name": "Another name", "device.memory_total_bytes": None}
    put(tmp_path / "results", sealed(document_of(run(1)), renamed))
    built(tmp_path / "results", tmp_path / "public", predicted=[PAGE])
    page = (tmp_path / "public" / places.card_page(*PAGE)).read_text(encoding="utf-8")
    subject = page.partition('<p class="subject">')[2].partition("</p>")[0]
    assert "NVIDIA GeForce RTX 4090" in subject


def test_a_file_that_changed_around_its_record_is_published_as_it_is_now(tmp_path: Path) -> None:
    index, results, out = tmp_path / "index.sqlite", tmp_path / "results", tmp_path / "public"
    path = put(results, run(1))
    built(results, out, index)
    path.write_bytes(path.read_bytes() + b"\n\n")
    built(results, out, index)
    assert files_of(out)[places.record_json(entry_id(run(1)))] == path.read_bytes()
