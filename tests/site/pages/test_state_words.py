"""What the site does with a record, in words."""

import pytest

from bench.site.interface import Apart, Identity, State
from bench.site.pages.state_words import apart, state
from tests.samples import records as sample
from tests.site.pages.samples import answers, entry


@pytest.mark.parametrize("kind", State)
def test_every_state_has_a_word_and_says_what_becomes_of_the_figures(kind: State) -> None:
    found = state(entry(sample.standard(), state=kind))
    assert found.word
    assert "figures" in found.meaning or "median" in found.meaning


def test_a_published_record_that_was_held_says_so() -> None:
    found = state(entry(sample.standard(), reason="checked by hand"))
    assert found.meaning.startswith("It was held, and a person published it.")


def test_a_record_of_a_revoked_key_says_why_it_is_held() -> None:
    revoked = answers().model_copy(
        update={"identity": Identity(key_id="a" * 64, first_seen=None, revoked="Stolen.")}
    )
    found = state(entry(sample.standard(), state=State.HELD, answers=revoked))
    assert found.meaning.startswith("Its key was revoked: Stolen. Its figures count in no median")


def test_what_is_apart_counts_in_no_median() -> None:
    assert "no median" in state(entry(sample.smoke(), apart=Apart.SMOKE)).meaning
    assert all(apart(kind).word and apart(kind).meaning for kind in Apart)
