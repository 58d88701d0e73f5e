"""One hostile file: its base, its edit, and what it must get."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
"""A record as JSON: these edits go where no schema goes."""
Edit = Callable[[Document], object]


@dataclass(frozen=True)
class Case:
    """One file: its base and edit, or its content; the codes that it must get, and the exit code."""

    name: str
    codes: tuple[str, ...]
    exit_code: int
    base: str = "card"
    edit: Edit | None = None
    content: bytes | None = None
    is_hashed: bool = True
