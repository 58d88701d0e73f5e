"""Lines of the plots: one for each setting and drawn token count, with its colour, shape and dash."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bench.report.grid import one_title
from bench.report.interface import Row, View
from bench.report.plots import theme
from bench.report.plots.interface import Datum, KeyEntry, joined
from bench.report.truncate import spread
from bench.wording import labels

NOT_DRAWN: Final = -1


@dataclass(frozen=True, slots=True)
class Series:
    """`variants` are the settings of the view, `tokens` the numbers of new tokens that are drawn as lines.

    `is_mixed`: a record has figures of several provenances; each is then a setting of its own.
    """

    variants: tuple[str, ...]
    tokens: tuple[int, ...]
    left_out: tuple[int, ...]
    is_mixed: bool

    def variant(self, row: Row) -> int:
        """The number of the row's grid, which a spec contains in place of its words."""
        return self.variants.index(_name(row, is_mixed=self.is_mixed))

    def words(self, row: Row) -> str:
        """`60 s × 512`, with its settings where there are several."""
        return row.shape if len(self.variants) == 1 else f"{row.shape}, {self.variants[self.variant(row)]}"

    def line(self, row: Row) -> int:
        """The number of its line, or `NOT_DRAWN`."""
        return self.tokens.index(row.max_tokens) if row.max_tokens in self.tokens else NOT_DRAWN


@dataclass(frozen=True, slots=True)
class Drawn:
    """The settings and lines for which one plot has figures, by number: others get no key and no choice.

    Settings, or lines, that lie on one another are one group; the first of it is drawn for all.
    """

    series: Series
    variants: tuple[tuple[int, ...], ...]
    lines: tuple[tuple[int, ...], ...]

    @property
    def together(self) -> bool:
        """True if one plot can show all settings, each with a dash of its own."""
        return len(self.variants) <= len(theme.DASHES)

    @property
    def names(self) -> list[tuple[int, str]]:
        """Number and words of each drawn setting."""
        words = self.series.variants
        return [(group[0], one_title([words[number] for number in group])) for group in self.variants]

    @property
    def tokens(self) -> list[tuple[int, str]]:
        """Number and words of each drawn token count."""
        counts = self.series.tokens
        found = ((group[0], joined([f"{counts[line]:,}" for line in group])) for group in self.lines)
        return [(line, f"{words} new tokens") for line, words in found]

    def key(self) -> list[KeyEntry]:
        """Colour and shape of each token count, then the dash of each setting where there are several."""
        ramp = places(len(self.series.tokens))
        symbols = [
            KeyEntry(
                "symbol",
                f"p{ramp[line]}",
                words,
                theme.SYMBOLS[ramp[line]],
            )
            for line, words in self.tokens
        ]
        is_plain = len(self.variants) == 1 and len(self.variants[0]) == 1
        if is_plain or not self.together:
            return symbols
        dashes = zip(self.names, theme.DASH_STYLES, strict=False)
        return [*symbols, *(KeyEntry("line", style, words) for (_, words), style in dashes)]


def drawn(series: Series, cells: Iterable[Datum]) -> Drawn:
    """The settings and lines of these cells."""
    seen = list(cells)
    variants, lines = ({int(str(datum[key])) for datum in seen} for key in ("v", "s"))
    alone = [tuple((number,) for number in sorted(found)) for found in (variants, lines - {NOT_DRAWN})]
    return Drawn(series, *alone)


def series(view: View) -> Series:
    """The lines of a view: at most six token counts, spread evenly, ends included."""
    # A merged view names the provenance in its settings already.
    is_mixed = view.merged is None and len({row.provenance for row in view.rows}) > 1
    variants = tuple(dict.fromkeys(_name(row, is_mixed=is_mixed) for row in view.rows))
    tokens = sorted({row.max_tokens for row in view.rows})
    lines = tuple(spread(tokens, theme.MAX_SERIES))
    return Series(variants, lines, tuple(n for n in tokens if n not in lines), is_mixed)


def _name(row: Row, *, is_mixed: bool) -> str:
    return f"{row.variant}, {labels.PROVENANCES[row.provenance]}" if is_mixed else row.variant


def places(count: int) -> list[int]:
    """Places of `count` lines in the ramp of colours, spread evenly."""
    return spread(range(theme.MAX_SERIES), count) if count else []
