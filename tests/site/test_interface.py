"""What counts among the measurements of a card."""

import pytest

from bench.site.interface import Apart, CardPage, State
from tests.site.entries import entry
from tests.validate.good import ordinary


def test_a_published_record_counts() -> None:
    assert entry(ordinary()).counts


@pytest.mark.parametrize("state", [state for state in State if state is not State.PUBLISHED])
def test_no_other_record_counts(state: State) -> None:
    assert not entry(ordinary()).model_copy(update={"state": state}).counts


@pytest.mark.parametrize("apart", Apart)
def test_records_apart_never_count(apart: Apart) -> None:
    assert not entry(ordinary()).model_copy(update={"apart": apart}).counts


def test_a_page_without_measurements_is_a_prediction() -> None:
    page = CardPage(
        model="MOSS-Audio-4B-Instruct",
        slug="rtx-4070",
        name="RTX 4070",
        check=None,
        prediction=None,
        entries=(),
        others=(),
        order_is_known=False,
    )
    assert page.is_prediction
