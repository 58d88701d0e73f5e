"""What a union of reasons, caveats or verdicts is made of."""

from typing import get_args

from bench.records.base import Frozen


def members(union: object) -> set[type[Frozen]]:
    """The types of a union, however it is nested."""
    if isinstance(union, type) and issubclass(union, Frozen):
        return {union}
    return {member for part in get_args(union) for member in members(part)}
