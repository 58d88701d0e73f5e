"""The search for cycles of garbage, paused."""

import gc

from bench.store.cycles import without_search_for_cycles


def test_the_search_for_cycles_goes_on_only_where_it_was_on() -> None:
    with without_search_for_cycles():
        with without_search_for_cycles():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
