"""The hashes of clips that are cut from the shipped speech, for the lengths of the shipped suites."""

import json
from functools import cache

from bench import shipped


def shipped_clip_sha256(samples: int) -> str | None:
    """Return the hash of so many samples of the shipped speech; None for a length that no shipped suite has.

    It is read from a table, so that nothing is decoded.
    """
    return _table().get(str(samples))


@cache
def _table() -> dict[str, str]:
    found: dict[str, str] = json.loads(shipped.data("speech", "clips.json").read_text(encoding="utf-8"))
    return found
