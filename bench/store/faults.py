"""Faults of documents in one line, whatever their keys and values contain."""

from typing import Final

from pydantic import ValidationError

_MAX_MESSAGE: Final = 300


def first_fault(error: ValidationError) -> str:
    """`cells.3.outcome.status: Input should be ...`: the first fault of many, as one line."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    place = ".".join(str(part) for part in faults[0]["loc"])
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    said = faults[0]["msg"].removeprefix("Value error, ")
    return one_line(f"{place}: {said}"[:_MAX_MESSAGE] + more)


def one_line(text: str) -> str:
    """Return text for a message: line breaks and terminal codes of a file do not get into it."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
