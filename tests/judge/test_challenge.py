"""How far two answers agree."""

from hypothesis import given
from hypothesis import strategies as st

from bench.judge.challenge import common_start, compared
from bench.records.reasons import RunInterrupted
from bench.wording import outcomes
from tests.samples.challenged import IDS, challenged
from tests.validate.good import ordinary

SHORT = st.lists(st.integers(0, 3), max_size=8)


@given(SHORT, SHORT)
def test_the_common_start_is_equal_and_ends_where_the_answers_differ(
    one: list[int], other: list[int]
) -> None:
    count = common_start(one, other)
    assert one[:count] == other[:count]
    assert one[count : count + 1] != other[count : count + 1] or count == min(len(one), len(other))


@given(SHORT)
def test_an_answer_agrees_with_itself(ids: list[int]) -> None:
    assert common_start(ids, ids) == len(ids)


def test_a_check_is_compared_with_the_answer_that_it_keeps() -> None:
    first = challenged(ordinary())
    other = challenged(ordinary(), ids=(*IDS[:17], *[0] * 15), checks=first)
    silent = challenged(ordinary(), outcome=outcomes.skipped(RunInterrupted()), checks=first)
    found = [each.challenge and compared(each.challenge) for each in (first, other, silent)]
    assert found == [None, (17, 32), None]
