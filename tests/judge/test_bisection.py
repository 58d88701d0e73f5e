"""The search for the longest clip that fits, against every truth that hypothesis thinks of."""

from collections.abc import Callable
from math import ceil, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.judge.bisection import STEP_S, Search

CEILING_STEPS = st.integers(0, 720)
LENGTHS = st.floats(0.2, 3600)


def played(search: Search, truth: Callable[[float], bool]) -> tuple[Search, list[float]]:
    """Where a search ends, and what it tried."""
    tried: list[float] = []
    while (length := search.next_s) is not None:
        assert search.at_most > 0
        tried.append(length)
        left = search.at_most
        search = search.after(length, fits=truth(length))
        assert search.at_most < left
        assert len(tried) < 100
    assert search.at_most == 0
    return search, tried


def on_the_grid(lengths: list[float]) -> bool:
    return all(length == STEP_S * round(length / STEP_S) for length in lengths)


@given(steps=CEILING_STEPS, limit=st.floats(0, 4000), start=LENGTHS)
def test_without_knowledge_it_finds_the_longest_length_of_the_grid_that_fits(
    steps: int, limit: float, start: float
) -> None:
    ceiling = steps * STEP_S
    ended, tried = played(Search.of(start_s=start, ceiling_s=ceiling), lambda length: length <= limit)
    fitting = [n * STEP_S for n in range(1, steps + 1) if n * STEP_S <= limit]
    failing = [n * STEP_S for n in range(1, steps + 1) if n * STEP_S > limit]
    assert ended.fits_s == (fitting[-1] if fitting else None)
    assert ended.misfit_s == (failing[0] if failing else None)
    assert ended.ends_at_ceiling is (not failing)
    assert ended.contradicted_by_s == ()
    assert len(tried) == len(set(tried))
    assert on_the_grid(tried)
    assert all(0 < length <= ceiling for length in tried)


@given(
    steps=st.integers(1, 720),
    limit=st.floats(0, 4000),
    start=LENGTHS,
    known=st.lists(LENGTHS, max_size=6),
)
def test_it_never_tries_what_is_known_or_follows_from_it(
    steps: int, limit: float, start: float, known: list[float]
) -> None:
    ceiling = steps * STEP_S
    fits, misfits = [k for k in known if k <= limit], [k for k in known if k > limit]
    begun = Search.of(start_s=start, ceiling_s=ceiling, fits=fits, misfits=misfits)
    ended, tried = played(begun, lambda length: length <= limit)
    assert all(max(fits, default=0) < length < min(misfits, default=ceiling + 1) for length in tried)
    assert ended.fits_s is None or ended.fits_s <= limit
    assert ended.misfit_s is None or ended.misfit_s > limit
    # Nothing of the grid is left between the two, or up to the ceiling.
    low, high = ended.fits_s or 0.0, min(ended.misfit_s or ceiling + 1, ceiling + 1)
    assert not [n for n in range(1, steps + 1) if low < n * STEP_S < high]


@given(low=st.integers(1, 700), gap=st.integers(1, 700), limit=st.integers(0, 1500))
def test_between_a_fit_and_a_failure_it_halves(low: int, gap: int, limit: int) -> None:
    fit, misfit = low * STEP_S, (low + gap) * STEP_S
    begun = Search.of(start_s=fit, ceiling_s=9000, fits=[fit], misfits=[misfit])
    truth = min(max(limit, low), low + gap - 1) * STEP_S
    ended, tried = played(begun, lambda length: length <= truth)
    assert (ended.fits_s, ended.misfit_s) == (truth, truth + STEP_S)
    assert len(tried) <= ceil(log2(gap)) == begun.at_most


@given(steps=st.integers(1, 720), limit=st.integers(0, 720), start=st.integers(1, 720))
def test_from_nothing_it_doubles_first(steps: int, limit: int, start: int) -> None:
    begun = Search.of(start_s=start * STEP_S, ceiling_s=steps * STEP_S)
    _, tried = played(begun, lambda length: length <= limit * STEP_S)
    doublings = 2 + max(0, ceil(log2(steps / start)))
    assert len(tried) <= begun.at_most <= doublings + 2 * ceil(log2(max(2, steps)))


def test_a_limit_just_below_the_guess_is_found_from_there() -> None:
    begun = Search.of(start_s=1000, ceiling_s=3000, fits=[10], misfits=[1200])
    _, tried = played(begun, lambda length: length <= 970)
    assert tried == [1000, 995, 985, 965, 975, 970]


@given(steps=st.integers(1, 300), start=LENGTHS, answers=st.lists(st.booleans(), min_size=300, max_size=300))
def test_noise_does_not_keep_it_from_ending_at_a_fit_beside_a_failure(
    steps: int, start: float, answers: list[bool]
) -> None:
    ended, tried = played(
        Search.of(start_s=start, ceiling_s=steps * STEP_S), lambda length: answers[round(length / STEP_S) - 1]
    )
    assert len(tried) == len(set(tried))
    assert ended.fits_s is None or answers[round(ended.fits_s / STEP_S) - 1]
    if ended.misfit_s is None:
        assert ended.ends_at_ceiling
    else:
        assert not answers[round(ended.misfit_s / STEP_S) - 1]
        assert ended.misfit_s - (ended.fits_s or 0.0) == STEP_S


def test_a_longer_clip_that_fitted_contradicts_a_failure_and_is_named() -> None:
    begun = Search.of(start_s=10, ceiling_s=600, fits=[10, 30, 60, 120], misfits=[45])
    assert (begun.fits_s, begun.misfit_s) == (30, 45)
    assert begun.contradicted_by_s == (60.0, 120.0)
    ended, tried = played(begun, lambda length: length <= 35)
    assert tried == [35, 40]
    assert ended.contradicted_by_s == (60.0, 120.0)


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        (Search(start_s=10, ceiling_s=3000), 10),
        (Search(start_s=10, ceiling_s=3000, fits_s=10), 20),
        (Search(start_s=10, ceiling_s=3000, fits_s=1600), 3000),
        (Search(start_s=2, ceiling_s=3000), 5),
        (Search(start_s=2, ceiling_s=3000, fits_s=2), 5),
        (Search(start_s=10, ceiling_s=3000, fits_s=120, misfit_s=300), 210),
        (Search(start_s=200, ceiling_s=3000, fits_s=120, misfit_s=300), 200),
        (Search(start_s=200, ceiling_s=3000, fits_s=200, misfit_s=300), 250),
        (Search(start_s=10, ceiling_s=3000, fits_s=57, misfit_s=60), None),
        (Search(start_s=10, ceiling_s=3000, misfit_s=5), None),
        (Search(start_s=10, ceiling_s=3), None),
        (Search(start_s=10, ceiling_s=3000, fits_s=3000), None),
    ],
)
def test_what_is_tried_next(search: Search, expected: float | None) -> None:
    assert search.next_s == expected
