"""The search for the longest clip: what it claims was predicted, and it needs few predictions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.predict.search import STEP_S, Bracket, Goal, Search
from bench.records.base import ByteInterval

LONGEST_S = 3000


@dataclass
class Model:
    """A need that is a table, one value per second, and a count of who asked."""

    low: list[int]
    spread: int
    per_token: int = 0
    asked: list[float] = field(default_factory=list)

    def __call__(self, clip_seconds: float) -> Mapping[int, ByteInterval]:
        self.asked.append(clip_seconds)
        return {tokens: self.at(int(clip_seconds), tokens) for tokens in (128, 1024)}

    def at(self, length: int, tokens: int) -> ByteInterval:
        low = self.low[length - 1] + self.per_token * tokens
        return ByteInterval(low=low, high=low + self.spread)


def known(model: Model, *lengths: int) -> dict[int, Mapping[int, ByteInterval]]:
    return {length: {tokens: model.at(length, tokens) for tokens in (128, 1024)} for length in lengths}


def like_the_model(length: int, *, per_chunk: int = 49_000_000, per_second: int = 8_200_000) -> int:
    """The encoder's stem by chunks of 4 s up to 64 of them, or the logits: whichever is more."""
    return 10_400_000_000 + max(min(64, -(-length // 4)) * per_chunk, length * per_second)


@given(
    steps=st.lists(st.integers(-5, 50), min_size=1, max_size=60),
    spread=st.integers(0, 100),
    budget=st.integers(-50, 2000),
    lengths=st.sets(st.integers(1, 60)),
    at_most=st.integers(0, 12),
)
def test_what_it_claims_was_predicted(
    steps: list[int], spread: int, budget: int, lengths: set[int], at_most: int
) -> None:
    """Even where the need falls again: no clip is said to fit, or not to, against its own prediction."""
    model = Model([300 + sum(steps[: end + 1]) for end in range(len(steps))], spread)
    longest = len(steps)
    before = known(model, *(length for length in lengths if length <= longest))
    goals = [Goal(128, "fits", budget), Goal(1024, "misfit", budget)]
    found = Search(model, goals, longest_s=longest, known=before).run(at_most)
    fits, misfit = found[goals[0]].below, found[goals[1]].above
    assert fits is None or model.at(fits, 128).high <= budget
    assert misfit is None or model.at(misfit, 1024).low > budget
    predicted = {*before, *model.asked}
    assert {fits, misfit} - {None} <= predicted
    assert len(model.asked) <= at_most
    assert len(set(model.asked)) == len(model.asked)


@given(
    steps=st.lists(st.integers(0, 50), min_size=1, max_size=60),
    spread=st.integers(0, 100),
    budget=st.integers(-50, 2000),
)
def test_with_enough_predictions_a_need_that_grows_is_known_to_where_it_crosses(
    steps: list[int], spread: int, budget: int
) -> None:
    model = Model([sum(steps[: end + 1]) for end in range(len(steps))], spread)
    goal = Goal(128, "fits", budget)
    found = Search(model, [goal], longest_s=len(steps), known={}).run(200)[goal]
    true = sum(model.at(length, 128).high <= budget for length in range(1, len(steps) + 1))
    assert (found.below or 0) <= true
    assert found.above is None or found.above > true
    if found.is_exact:
        assert true - (found.below or 0) < STEP_S


@pytest.mark.parametrize("budget_gb", [10.6, 11.1, 12.5, 13.4, 15.8, 22.2])
@pytest.mark.parametrize("spread", [100_000_000, 700_000_000])
def test_the_grid_of_a_suite_and_eight_more_lengths_give_the_bounds(budget_gb: float, spread: int) -> None:
    """To 8 s, which is two chunks of the encoder."""
    model = Model([like_the_model(length) for length in range(1, LONGEST_S + 1)], spread)
    goals = [
        Goal(tokens, bound, round(budget_gb * 1e9)) for tokens in (128, 1024) for bound in ("fits", "misfit")
    ]
    before = known(model, 10, 30, 60, 120, 300, 600)
    found = Search(model, goals, longest_s=LONGEST_S, known=before).run(8)
    for goal, bracket in found.items():
        true = sum(goal.slack(model.at(length, 128)) >= 0 for length in range(1, LONGEST_S + 1))
        if goal.bound == "fits":
            assert true - 8 < (bracket.below or 0) <= true
        else:
            assert true + 1 <= (bracket.above or LONGEST_S + 1) < true + 9


def test_lines_that_differ_in_tokens_share_their_predictions() -> None:
    """Where the prefill decides, an answer of 1024 tokens ends where one of 128 does."""
    model = Model([like_the_model(length) for length in range(1, LONGEST_S + 1)], 100_000_000)
    before = known(model, 10, 300)
    one = Search(model, [Goal(128, "fits", 14_000_000_000)], longest_s=LONGEST_S, known=before)
    one.run(10)
    alone = len(model.asked)
    model.asked.clear()
    both = [Goal(tokens, "fits", 14_000_000_000) for tokens in (128, 1024)]
    found = Search(model, both, longest_s=LONGEST_S, known=before).run(10)
    assert len(model.asked) == alone
    assert len(set(found.values())) == 1


def test_a_card_for_which_everything_fits_is_known_after_the_end_of_the_context() -> None:
    model = Model([like_the_model(length) for length in range(1, LONGEST_S + 1)], 100_000_000)
    goals = [Goal(128, "fits", 80_000_000_000), Goal(128, "misfit", 80_000_000_000)]
    found = Search(model, goals, longest_s=LONGEST_S, known=known(model, 10)).run(10)
    assert model.asked == [LONGEST_S]
    assert set(found.values()) == {Bracket(LONGEST_S, None)}


@pytest.mark.parametrize("bound", ["fits", "misfit"])
def test_a_need_that_is_flat_between_the_known_lengths_is_followed_to_where_it_rises(
    bound: Literal["fits", "misfit"],
) -> None:
    """Loading leads up to 500 s: the line through 60 and 300 s says nothing of what comes after."""
    model = Model(
        [10_400_000_000 + max(0, length - 500) * 3_000_000 for length in range(1, LONGEST_S + 1)], 100_000_000
    )
    goal = Goal(128, bound, 11_200_000_000)
    found = Search(model, [goal], longest_s=LONGEST_S, known=known(model, 60, 300)).run(8)[goal]
    rises_at = 500 + (800_000_000 - (100_000_000 if bound == "fits" else 0)) // 3_000_000
    claimed = found.below if bound == "fits" else found.above
    assert claimed is not None
    assert abs(claimed - rises_at) <= STEP_S


def test_a_card_that_cannot_hold_the_weights_is_known_after_the_shortest_clip() -> None:
    model = Model([like_the_model(length) for length in range(1, LONGEST_S + 1)], 100_000_000)
    goals = [Goal(128, "fits", 8_000_000_000), Goal(128, "misfit", 8_000_000_000)]
    found = Search(model, goals, longest_s=LONGEST_S, known=known(model, 10)).run(10)
    assert model.asked == [1]
    assert set(found.values()) == {Bracket(None, 1)}
