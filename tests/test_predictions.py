"""The shipped table of predictions, and the command that makes it."""

import secrets

import pytest

from bench import shipped
from bench.predict.setting import mel_frames
from bench.predict.shipped_table import FOLDER, ShippedTable, read_shard
from tools.predictions import Shard, answers, asked_lengths, clip_lengths, differing, shards

TABLE = shipped.data(FOLDER)
MOST_BYTES = 1_000_000


@pytest.fixture(scope="module")
def wanted() -> dict[str, Shard]:
    return {shard.name: shard for shard in shards()}


def test_every_file_is_a_shard_that_plans_look_up(wanted: dict[str, Shard]) -> None:
    files = {path.relative_to(TABLE).as_posix() for path in TABLE.rglob("*") if path.is_file()}
    assert files == wanted.keys()
    for shard in wanted.values():
        assert read_shard((TABLE / shard.name).read_bytes()).key == shard.key


def test_the_table_is_small_enough_for_a_wheel() -> None:
    assert sum(path.stat().st_size for path in TABLE.rglob("*.gz")) < MOST_BYTES


def test_every_place_has_every_length(wanted: dict[str, Shard]) -> None:
    for shard in wanted.values():
        document = read_shard((TABLE / shard.name).read_bytes())
        lengths = {mel_frames(clip_s) for clip_s in clip_lengths(shard)}
        assert {table.place: set(table.mel_frames) for table in document.places} == dict.fromkeys(
            shard.places, lengths
        ), shard.name


def test_every_card_finds_the_clips_and_answers_of_the_suites(wanted: dict[str, Shard]) -> None:
    for shard in wanted.values():
        table = ShippedTable(shard.key.config_sha256)
        for place in shard.places:
            for clip_s in asked_lengths(shard):
                found = table.find(shard.clip(clip_s, place), answers())
                assert tuple(found) == answers(), f"{shard.name}, {clip_s} s, {place}"


def test_lengths_are_every_4_s_up_to_the_context_and_those_of_the_suites(wanted: dict[str, Shard]) -> None:
    (shard, *_) = wanted.values()
    lengths = clip_lengths(shard)
    assert {float(each) for each in range(4, 2853, 4)} < set(lengths)
    assert {1.0, 10.0, 30.0, 2853.0} < set(lengths)


@pytest.mark.full_size  # it traces whole models
def test_clips_traced_anew_are_as_in_the_table() -> None:
    seed = secrets.randbelow(2**32)
    assert not differing(8, seed), f"python -m tools.predictions --check 8 --seed {seed}"
