"""Traced figures on this disk."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.predict.planner import plan_request
from bench.predict.terms_cache import TermsCache
from bench.run.run_spec import RunOptions
from tests.predict.test_card_envelope import TERMS
from tests.predict.test_shipped_table import PLACES, clip_at

SOURCE = plan_request(RunOptions(model="MOSS-Audio-4B-Instruct")).source
CLIP = clip_at(PLACES[0], 6000)


def test_what_was_kept_is_found_also_by_another_process_and_with_later_answers(tmp_path: Path) -> None:
    TermsCache(tmp_path, SOURCE).keep(CLIP, {128: TERMS})
    TermsCache(tmp_path, SOURCE).keep(CLIP, {512: TERMS})
    assert TermsCache(tmp_path, SOURCE).find(CLIP, [128, 512, 1024]) == {128: TERMS, 512: TERMS}


def test_another_clip_model_or_order_of_tensors_finds_nothing(tmp_path: Path) -> None:
    TermsCache(tmp_path, SOURCE).keep(CLIP, {128: TERMS})
    assert TermsCache(tmp_path, SOURCE).find(clip_at(PLACES[1], 6000), [128]) == {}
    for other in (replace(SOURCE, config_sha256="1" * 64), replace(SOURCE, tensors={"head": (2, 3)})):
        assert TermsCache(tmp_path, other).find(CLIP, [128]) == {}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"128": {}}', b"\xff\xfe", b"x" * 2**21, b'{"128": {"phases": {}}}'],
)
def test_a_damaged_file_counts_as_none_and_is_replaced(tmp_path: Path, content: bytes) -> None:
    cache = TermsCache(tmp_path, SOURCE)
    cache.keep(CLIP, {128: TERMS})
    (path,) = tmp_path.iterdir()
    path.write_bytes(content)
    assert cache.find(CLIP, [128]) == {}
    cache.keep(CLIP, {512: TERMS})
    assert cache.find(CLIP, [128, 512]) == {512: TERMS}


def test_negative_sizes_in_a_file_count_as_damage(tmp_path: Path) -> None:
    cache = TermsCache(tmp_path, SOURCE)
    cache.keep(CLIP, {128: TERMS})
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text().replace('"buffers_bytes":256', '"buffers_bytes":-256'))
    assert cache.find(CLIP, [128]) == {}


def test_the_number_of_files_is_bounded_and_the_oldest_go(tmp_path: Path) -> None:
    cache = TermsCache(tmp_path, SOURCE, most_files=8)
    kept = [clip_at(PLACES[0], frames) for frames in range(1, 21)]
    for clip in kept:
        cache.keep(clip, {128: TERMS})
        cache.find(kept[0], [128])  # in use all the time
    assert len(list(tmp_path.iterdir())) <= 8
    assert cache.find(kept[0], [128])
    assert cache.find(kept[-1], [128])
    assert not cache.find(kept[1], [128])


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    cache = TermsCache(tmp_path / "file" / "below", SOURCE)
    cache.keep(CLIP, {128: TERMS})
    assert cache.find(CLIP, [128]) == {}
