"""The verdict over records that no merged cell decides: each setting by its newest record."""

from collections.abc import Iterable, Sequence

from bench.check.summary import RecordHead
from bench.judge.prediction import ORDER
from bench.judge.variants import varying, words_of
from bench.records.enums import Verdict
from bench.records.verdicts import Basis, BySetting, NewestDecides, SettingReason, VerdictReason

_Variants = tuple[tuple[str, ...], ...]


def by_variant(basis: Basis, heads: Sequence[RecordHead]) -> tuple[Verdict, VerdictReason]:
    """The verdict of the setting that goes furthest, and why for each setting, that one first.

    `heads` are the oldest first. Of records that ask for the same settings the newest decides.
    """
    names = varying(line.settings for head in heads for line in head.lines)
    newest = {_variants(head, names): head for head in heads}
    ordered = sorted(newest.items(), key=lambda item: _place(*item))
    _, furthest = ordered[0]
    if len(ordered) == 1:
        return furthest.verdict, NewestDecides(basis=basis, why=furthest.why)
    settings = (SettingReason(variants=variants, why=head.why) for variants, head in ordered)
    return furthest.verdict, BySetting(basis=basis, settings=tuple(settings))


def _variants(head: RecordHead, names: Sequence[str]) -> _Variants:
    """What the cells of the record have of the settings in which records differ, each variant once."""
    found = dict.fromkeys(words_of(line.settings, names) for line in head.lines)
    return tuple(filter(None, found))


def _place(variants: _Variants, head: RecordHead) -> tuple[int, float, _Variants]:
    order = [*ORDER, Verdict.UNSUPPORTED, Verdict.UNKNOWN]
    return order.index(head.verdict), -_longest(line.longest_fit_s for line in head.lines), variants


def _longest(lengths_s: Iterable[float | None]) -> float:
    return max((length for length in lengths_s if length is not None), default=0.0)
