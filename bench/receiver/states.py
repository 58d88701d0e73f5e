"""States of a submission, and what a moderator can do with it."""

from collections.abc import Mapping, Set
from enum import StrEnum
from typing import Final

from bench.errors import UsageError


class State(StrEnum):
    """What the receiver does with a submission."""

    RECEIVED = "received"
    """Reserved: stored, and not judged yet. Each bundle is judged before it is stored."""
    VALID = "valid"
    """Without errors: the next build of the site shows it."""
    HELD = "held"
    """Suspicious, with a note or a handle that nobody has read, or of a revoked key: a person decides."""
    PUBLISHED = "published"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    """The site shows a tombstone with the reason; the body is kept."""
    DELETED = "deleted"
    """Body, note, handle and address are gone."""


class Action(StrEnum):
    """What a moderator does, always with a reason."""

    PUBLISH = "publish"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    DELETE = "delete"


_WAITING: Final = frozenset({State.RECEIVED, State.VALID, State.HELD})
_RULES: Final[Mapping[Action, tuple[State, Set[State]]]] = {
    # Once more: a reason for one that the site holds as an outlier, which the receiver does not know.
    Action.PUBLISH: (State.PUBLISHED, frozenset(State) - {State.DELETED}),
    Action.REJECT: (State.REJECTED, _WAITING),
    Action.WITHDRAW: (State.WITHDRAWN, {State.VALID, State.PUBLISHED}),
    Action.DELETE: (State.DELETED, frozenset(State) - {State.DELETED}),
}
"""The state after an action, and those in which it is possible."""

ON_SITE: Final = frozenset({State.VALID, State.PUBLISHED, State.WITHDRAWN})
"""States whose submissions a build of the site gets."""


def after(state: State, action: Action) -> State:
    """Return the state after an action.

    Raises:
        UsageError: the action is not possible in this state.
    """
    target, allowed = _RULES[action]
    if state not in allowed:
        raise UsageError(
            f"a submission that is {state} cannot be {target}",
            hint=f"{action.capitalize()} one that is {' or '.join(sorted(allowed))}",
        )
    return target
