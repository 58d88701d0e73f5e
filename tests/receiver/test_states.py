"""What a moderator can do with a submission in each state."""

from itertools import product

import pytest

from bench.errors import UsageError
from bench.receiver.states import ON_SITE, Action, State, after


def test_nothing_leads_out_of_deleted() -> None:
    for action in Action:
        with pytest.raises(UsageError, match="deleted"):
            after(State.DELETED, action)


def test_everything_else_can_be_deleted() -> None:
    assert {after(state, Action.DELETE) for state in State if state is not State.DELETED} == {State.DELETED}


def test_an_action_leads_to_its_own_state_or_says_which_states_allow_it() -> None:
    for state, action in product(State, Action):
        try:
            assert after(state, action).value.startswith(action.value[:6])
        except UsageError as error:
            assert state.value in error.message
            assert error.hint


def test_what_was_withdrawn_or_rejected_by_mistake_can_be_published() -> None:
    assert after(State.WITHDRAWN, Action.PUBLISH) is State.PUBLISHED
    assert after(State.REJECTED, Action.PUBLISH) is State.PUBLISHED


def test_what_is_published_gets_a_reason_by_being_published_again() -> None:
    assert after(State.PUBLISHED, Action.PUBLISH) is State.PUBLISHED


def test_the_site_gets_nothing_that_waits_for_a_person() -> None:
    assert ON_SITE.isdisjoint({State.RECEIVED, State.HELD, State.REJECTED, State.DELETED})
