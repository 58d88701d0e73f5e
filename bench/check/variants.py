"""The verdict over records that no merged cell decides: each setting by its newest record."""

from collections.abc import Iterable, Sequence
from typing import Final

from bench.check.summary import RecordHead
from bench.judge.prediction import ORDER
from bench.judge.variants import varying, words_of
from bench.judge.why_derived import HEAD
from bench.records.enums import Verdict

_MAX_SENTENCES: Final = 4


def by_variant(heads: Sequence[RecordHead]) -> tuple[Verdict, str]:
    """The verdict of the setting that goes furthest, and a sentence for each setting, that one first.

    `heads` are the oldest first. Of records that ask for the same settings the newest tells.
    """
    names = varying(line.settings for head in heads for line in head.lines)
    newest = {_settings(head, names): head for head in heads}
    ordered = sorted(newest.items(), key=lambda item: _place(*item))
    _, furthest = ordered[0]
    if len(ordered) == 1:
        return furthest.verdict, f"The newest of them: {furthest.why}"
    return furthest.verdict, _sentences(ordered)


def _sentences(ordered: Sequence[tuple[str, RecordHead]]) -> str:
    """One for each setting; those that say the same are told together."""
    said: dict[str, list[str]] = {}
    for settings, head in ordered:
        said.setdefault(head.why.removeprefix(f"{HEAD}: "), []).append(settings or "other settings")
    told = [f"{_opening(names)}: {why}" for why, names in said.items()]
    more = [f"{len(told) - _MAX_SENTENCES} more stand in the tables."] if len(told) > _MAX_SENTENCES else []
    return " ".join([*told[:_MAX_SENTENCES], *more])


def _opening(names: Sequence[str]) -> str:
    words = " and ".join(names)
    return words[:1].upper() + words[1:]


def _settings(head: RecordHead, names: Sequence[str]) -> str:
    """`profile lean`: what the cells of the record have of the settings in which records differ."""
    found = dict.fromkeys(", ".join(words_of(line.settings, names)) for line in head.lines)
    return " and ".join(filter(None, found))


def _place(settings: str, head: RecordHead) -> tuple[int, float, str]:
    order = [*ORDER, Verdict.UNSUPPORTED, Verdict.UNKNOWN]
    return order.index(head.verdict), -_longest(line.longest_fit_s for line in head.lines), settings


def _longest(lengths_s: Iterable[float | None]) -> float:
    return max((length for length in lengths_s if length is not None), default=0.0)
