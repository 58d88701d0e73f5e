"""What a union of reasons, caveats or verdicts is made of."""

from typing import get_args


def members(union: object) -> set[type]:
    """The types of a union, however it is nested."""
    if isinstance(union, type):
        return {union}
    return {member for part in get_args(union) for member in members(part) if hasattr(member, "model_fields")}
