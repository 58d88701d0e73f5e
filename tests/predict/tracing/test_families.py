"""A generation that was not traced follows from traced ones, or is left to be traced."""

from hypothesis import given
from hypothesis import strategies as st

from bench.predict.trace import Call, Event, Kernel
from bench.predict.tracing.families import Family
from bench.predict.tracing.folding import Unfolded
from bench.records.enums import Phase

LENGTHS = st.tuples(st.integers(1, 4000), st.integers(1, 4000))


def generation(lengths: tuple[int, ...], *, squared: bool = False) -> Unfolded:
    chunks, positions = lengths[:2]
    call = Call(((chunks, 3),), ((3, 1),), (chunks, positions), "bfloat16")
    kernels = (Kernel("aten::mm", "a", Phase.ENCODE, call), Kernel("aten::add", "b", Phase.PREFILL))
    sizes = (7 * chunks + 3, 5 * positions + chunks, positions**2 if squared else 11)
    events = [Event(number % 2, number, size) for number, size in enumerate(sizes)]
    return Unfolded(kernels, (*events, Event(1, 0, 0)), (4,))


@given(LENGTHS)
def test_three_traces_give_every_other(lengths: tuple[int, int]) -> None:
    family = Family()
    for known in ((1, 10), (5, 70), (9, 20)):
        family.add(known, generation(known))
    assert family.at(lengths) == generation(lengths)


@given(st.lists(st.integers(1, 40_000), min_size=4, max_size=4, unique=True), st.integers(1, 64))
def test_squares_are_exact_to_the_byte(positions: list[int], heads: int) -> None:
    """Scores of all pairs of positions: beyond 2**31 bytes, and next to sizes of a few."""
    family = Family()
    made = [generation((heads * n % 97, n, n * n), squared=True) for n in positions]
    for n, known in zip(positions, made, strict=True):
        found = family.at((heads * n % 97, n, n * n))
        assert found in {None, known}
        family.add((heads * n % 97, n, n * n), known)
        assert family.at((heads * n % 97, n, n * n)) == known


def test_nothing_follows_where_sizes_are_no_sum() -> None:
    """Squares, where only positions are lengths."""
    family = Family()
    for positions in (10, 20, 40):
        family.add((1, positions), generation((1, positions), squared=True))
    assert family.at((1, 60)) is None


def test_what_was_never_varied_is_not_guessed() -> None:
    family = Family()
    for known in ((1, 10), (2, 10)):
        family.add(known, generation(known))
    assert family.at((7, 10)) == generation((7, 10))
    assert family.at((7, 11)) is None
    assert Family().at((1, 1)) is None


def test_one_of_another_kind_is_left_out() -> None:
    family = Family()
    family.add((1, 10), generation((1, 10)))
    other = generation((5, 70))
    family.add((5, 70), Unfolded(other.kernels, other.events[:-1], (3,)))
    assert family.at((5, 70)) is None
