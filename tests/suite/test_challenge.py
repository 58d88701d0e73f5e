"""The excerpt of a nonce and the cell that asks about it."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.audio import clips
from bench.records.enums import Attention, WeightMode
from bench.shipped import SPEECH_SAMPLES
from bench.suite.cells import cell_id
from bench.suite.challenge import (
    CHALLENGE_S,
    PIECE_SAMPLES,
    PIECES,
    challenge_request,
    excerpt_starts,
)
from bench.suite.suite import find_suite, shipped_suites

NONCE = "00112233445566778899aabbccddeeff"
NONCES = st.integers(0, 2**128 - 1).map("{:032x}".format)


def test_the_places_never_change() -> None:
    """Records that are published depend on them."""
    assert excerpt_starts(NONCE) == (543682, 1103746, 516810, 824403, 604382)


@given(NONCES)
def test_every_piece_is_whole(nonce: str) -> None:
    starts = excerpt_starts(nonce)
    assert len(starts) == PIECES
    assert all(0 <= start <= SPEECH_SAMPLES - PIECE_SAMPLES for start in starts)


def test_the_places_are_spread_over_the_speech() -> None:
    starts = [start for nth in range(400) for start in excerpt_starts(f"{nth:032x}")]
    tenth = SPEECH_SAMPLES / 10
    assert all(100 < sum(tenth * n <= start < tenth * (n + 1) for start in starts) < 300 for n in range(9))


def test_the_excerpt_is_the_pieces_in_a_row() -> None:
    speech = clips.shipped_speech().samples
    assert len(speech) == SPEECH_SAMPLES
    starts = excerpt_starts(NONCE)
    heard = clips.excerpt(starts, PIECE_SAMPLES)
    assert len(heard) == CHALLENGE_S * clips.SAMPLE_RATE
    pieces = b"".join(speech[start : start + PIECE_SAMPLES].astype("<f4").tobytes() for start in starts)
    assert clips.sha256_of(heard) == hashlib.sha256(pieces).hexdigest()


@pytest.mark.parametrize("name", shipped_suites())
def test_every_suite_asks_the_same(name: str) -> None:
    """Whoever checks an answer can use any suite of the same model, profile and dtype."""
    asked = challenge_request(find_suite(name), WeightMode.HUB, "ab" * 32)
    assert (asked.attention, asked.sampling.do_sample, asked.max_tokens) == (Attention.SDPA, False, 32)
    assert asked.prompt == find_suite(name).prompt, "the ids of random weights are those of this prompt"
    other = challenge_request(find_suite(name), WeightMode.HUB, "cd" * 32)
    assert cell_id(asked) != cell_id(other)
