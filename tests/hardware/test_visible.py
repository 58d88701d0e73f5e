import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.hardware.device import has_numbers, visible

HERE = ("GPU-a1", "GPU-b2", "MIG-c3")


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        (None, (0, 1, 2)),
        ("", ()),
        ("-1", ()),
        ("1", (1,)),
        ("1,0", (1, 0)),
        (" 1 , 0 ", (1, 0)),
        ("1,1", (1,)),
        ("GPU-a", (0,)),
        ("MIG-c3", (2,)),
        ("GPU-", ()),  # two begin like that
        ("0,7,1", (0,)),
        ("0,GPU-z,1", (0,)),
    ],
)
def test_cards_that_were_not_assigned_are_not_taken(wanted: str | None, left: tuple[int, ...]) -> None:
    assert visible(HERE, wanted) == left


@given(st.lists(st.text(max_size=8)), st.one_of(st.none(), st.text(max_size=20)))
def test_whatever_it_holds_no_card_comes_twice_or_from_nowhere(uuids: list[str], wanted: str | None) -> None:
    places = visible(uuids, wanted)
    assert len(set(places)) == len(places)
    assert all(0 <= place < len(uuids) for place in places)


def test_numbers_are_noticed() -> None:
    assert has_numbers("GPU-a,1")
    assert not any(map(has_numbers, (None, "", "-1", "GPU-1", "MIG-2")))
