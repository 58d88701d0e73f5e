"""Places of the site's files."""

import pytest

from bench.site import places


@pytest.mark.parametrize(
    "path",
    [
        places.card_page("MOSS-Audio-4B-Instruct", "rtx-4070"),
        places.card_check("MOSS-Audio-4B-Instruct", "rtx-4070"),
        places.record_page("0123456789abcdef"),
        places.record_json("0123456789abcdef"),
        places.record_bundle("0123456789abcdef"),
    ],
)
def test_places_are_relative_and_below_the_root(path: str) -> None:
    assert not path.startswith("/")
    assert ".." not in path.split("/")


def test_a_page_has_a_folder_of_its_own_so_that_its_address_ends_in_a_slash() -> None:
    assert places.card_page("M", "s").endswith("/index.html")
    assert places.record_page("0").endswith("/index.html")
