"""The answer in the terminal: the headline, a row for each way to run the model, and what to type."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from bench.records.enums import Provenance
from bench.report.answer import Answer, Strip, Way
from bench.wording.labels import PROVENANCES

if TYPE_CHECKING:
    from rich.text import Text

NARROW: Final = 60
"""Below so many columns a row of the table becomes lines."""

_BLOCKS: Final = {"fits": "█", "likely": "▓", "uncertain": "░", "misfit": "·"}
_STYLES: Final = {"fits": "green", "likely": "yellow", "uncertain": "yellow", "misfit": "red"}
_BAR: Final = 14
_LABEL: Final = 14
_COLUMNS: Final = ("fits up to", "likely up to", "does not fit from")
_GAP: Final = "  "
_KEY: Final = {
    "fits": "fits",
    "likely": "likely fits",
    "uncertain": "uncertain",
    "misfit": "does not fit",
}


def answer_lines(found: Answer, width: int) -> Iterator["Text"]:
    """The lines of the answer, at most `width` columns wide but for long names, which wrap."""
    from rich.text import Text

    is_narrow = width < NARROW
    for provenance in found.provenances:
        yield Text(f"\n{PROVENANCES[provenance].capitalize()}; {found.tokens_words}", style="bold")
        ways = found.of(provenance)
        widths = _widths(ways)
        if not is_narrow:
            yield Text(f"{'':<{_LABEL + _BAR + 6}}{_joined(_COLUMNS, widths)}", style="dim")
        for way in ways:
            yield Text(" ".join(filter(None, (way.name, f"on {way.system}" if way.system else ""))))
            for label, strip in _budgets(way):
                if is_narrow:
                    yield from _stacked(label, strip)
                else:
                    yield _row(label, strip, widths)
    if not is_narrow and any(provenance is Provenance.DERIVED for provenance in found.provenances):
        yield Text(_GAP.join(f"{_BLOCKS[kind]} {words}" for kind, words in _KEY.items()), style="dim")
    if found.command:
        yield Text.assemble("\nType: ", (found.command, "bold"))
        yield Text(f"      {found.reason}")


def _budgets(way: Way) -> Iterator[tuple[str, Strip]]:
    for label, strip in (("headless", way.headless), ("with a desktop", way.desktop)):
        if strip is not None:
            yield label, strip


def _words(strip: Strip) -> tuple[str, str, str]:
    return strip.fits, strip.likely, strip.misfit


def _widths(ways: Sequence[Way]) -> list[int]:
    rows = (_COLUMNS, *(_words(strip) for way in ways for _, strip in _budgets(way)))
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _joined(words: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(f"{word:>{width}}" for word, width in zip(words, widths, strict=True))


def _row(label: str, strip: Strip, widths: Sequence[int]) -> "Text":
    from rich.text import Text

    line = Text(f"  {label:<{_LABEL}}{_GAP}").append_text(_bar(strip))
    return line.append(f"{_GAP}{_joined(_words(strip), widths)}")


def _stacked(label: str, strip: Strip) -> Iterator["Text"]:
    """The budget, then a line for each length: no length is broken at the end of a line."""
    from rich.text import Text

    yield Text(f"  {label}")
    for name, word in zip(_COLUMNS, _words(strip), strict=True):
        yield Text(f"    {name:<{_widest(_COLUMNS)}}{_GAP}{word}")


def _widest(words: Sequence[str]) -> int:
    return max(map(len, words))


def _bar(strip: Strip) -> "Text":
    """The strip in `_BAR` characters; a segment that exists has at least one."""
    from rich.text import Text

    bar, at = Text(), 0
    for place, segment in enumerate(strip.segments):
        later = len(strip.segments) - place - 1
        end = _BAR if not later else min(max(round(segment.end * _BAR), at + 1), _BAR - later)
        bar.append(_BLOCKS[segment.kind] * (end - at), style=_STYLES[segment.kind])
        at = end
    return bar
