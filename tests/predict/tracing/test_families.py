"""A generation that was not traced follows from traced ones, or is left to be traced."""

from hypothesis import given
from hypothesis import strategies as st

from bench.predict.trace import Call, Event, Kernel
from bench.predict.tracing.families import Family
from bench.predict.tracing.folding import Unfolded
from bench.records.enums import Phase

LENGTHS = st.tuples(st.integers(1, 4000), st.integers(1, 4000)).map(
    lambda pair: (float(pair[0]), float(pair[1]))
)


def generation(lengths: tuple[float, float], *, squared: bool = False) -> Unfolded:
    chunks, positions = map(int, lengths)
    call = Call(((chunks, 3),), ((3, 1),), (chunks, positions), "bfloat16")
    kernels = (Kernel("aten::mm", "a", Phase.ENCODE, call), Kernel("aten::add", "b", Phase.PREFILL))
    sizes = (7 * chunks + 3, 5 * positions + chunks, positions**2 if squared else 11)
    events = [Event(number % 2, number, size) for number, size in enumerate(sizes)]
    return Unfolded(kernels, (*events, Event(1, 0, 0)), (4,))


@given(LENGTHS)
def test_three_traces_give_every_other(lengths: tuple[float, float]) -> None:
    family = Family()
    for known in ((1.0, 10.0), (5.0, 70.0), (9.0, 20.0)):
        family.add(known, generation(known))
    assert family.at(lengths) == generation(lengths)


def test_what_was_never_varied_is_not_guessed() -> None:
    family = Family()
    for known in ((1.0, 10.0), (2.0, 10.0)):
        family.add(known, generation(known))
    assert family.at((7.0, 10.0)) == generation((7.0, 10.0))
    assert family.at((7.0, 11.0)) is None
    assert Family().at((1.0, 1.0)) is None


def test_one_of_another_kind_is_left_out() -> None:
    family = Family()
    family.add((1.0, 10.0), generation((1.0, 10.0)))
    other = generation((5.0, 70.0))
    family.add((5.0, 70.0), Unfolded(other.kernels, other.events[:-1], (3,)))
    assert family.at((5.0, 70.0)) is None
