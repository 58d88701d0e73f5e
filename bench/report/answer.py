"""The answer of a report: for each way to run the model, the clip lengths that fit, and what to type.

A way is a profile on a system with an attention. Ways with equal lengths share a row. Runs and predictions
never do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bench import units
from bench.judge.same_run import SETTINGS
from bench.records.check import Check, FrontierLine, PredictedLengths
from bench.records.enums import Provenance
from bench.records.prediction import ANSWER_TOKENS
from bench.wording import labels

ANY_CLIP: Final = "any clip"
_SHORTEST_S: Final = 1.0  # of a predicted line
_MARGIN: Final = 1.1  # of the axis, beyond the longest length that is drawn
_WITH_A_DESKTOP: Final = ("Windows", "WSL2")
_TORCH: Final = " with torch "
PROFILES: Final = {"faithful": "as upstream", "lean": "lean"}


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a strip: `fits`, `likely`, `uncertain` or `misfit`, from and to in shares of the axis."""

    kind: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Strip:
    """The clip lengths of one budget, in words and drawn on the axis of the answer."""

    fits: str
    likely: str
    misfit: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """A row: `name` such as `lean, SDPA`, `system` such as `Linux with torch 2.14`; None: no such budget."""

    provenance: Provenance
    profile: str
    name: str
    system: str
    headless: Strip | None
    desktop: Strip | None

    @property
    def absent(self) -> str:
        """Why a budget is missing."""
        always = self.headless is None and self.system.startswith(_WITH_A_DESKTOP)
        return "this system always has a desktop" if always else "not known"


@dataclass(frozen=True, slots=True)
class Answer:
    """The ways of a document, and the command that suits most. `axis_s` is the end of all strips.

    `longest` is the longest clip that fits for certain, and its way; None where none does.
    """

    tokens: int
    axis_s: float
    ways: tuple[Way, ...]
    command: str
    reason: str
    longest: tuple[str, str] | None

    @property
    def tokens_words(self) -> str:
        """`512 new tokens`."""
        return f"{self.tokens:,} new token{'' if self.tokens == 1 else 's'}"

    @property
    def axis_words(self) -> str:
        """The end of the axis in words."""
        return units.seconds(round(self.axis_s))

    @property
    def provenances(self) -> tuple[Provenance, ...]:
        """Each provenance once, in the order of the ways."""
        return tuple(dict.fromkeys(way.provenance for way in self.ways))

    def first(self, most: int) -> "Answer":
        """The answer with at most so many ways."""
        return replace(self, ways=self.ways[:most])

    def of(self, provenance: Provenance) -> tuple[Way, ...]:
        """The ways of one provenance."""
        return tuple(way for way in self.ways if way.provenance is provenance)


def answer(check: Check) -> Answer | None:
    """Return the answer of a check document; None for a CPU, and where no clip length is known."""
    if check.gpu.kind != "cuda":
        return None
    lines = [line for line in check.frontier if line.headless_is_known or line.desktop_is_known]
    if not lines:
        return None
    tokens = _tokens(lines)
    chosen = [line for line in lines if line.max_tokens == tokens]
    axis_s = _axis_s(chosen)
    command, reason = _command(check, chosen)
    ways = tuple(_ways(chosen, axis_s))
    return Answer(tokens, axis_s, ways, command, reason, _longest(chosen))


def _longest(lines: Sequence[FrontierLine]) -> tuple[str, str] | None:
    found = [(line.longest_fit_s, "headless", line) for line in lines]
    found += [(line.longest_fit_with_desktop_s, "with a desktop", line) for line in lines]
    known = [(length, budget, line) for length, budget, line in found if length is not None]
    if not known:
        return None
    length_s, budget, line = max(known, key=lambda each: each[0])
    profile = _setting(line, "profile")
    words = (PROFILES.get(profile, profile), _setting(line, "system"), budget)
    return _up_to(length_s, line.context_s), ", ".join(filter(None, words))


def _tokens(lines: Sequence[FrontierLine]) -> int:
    """`ANSWER_TOKENS` where a line has it, else the number that most lines have."""
    found = [line.max_tokens for line in lines]
    return max(set(found), key=lambda each: (each == ANSWER_TOKENS, found.count(each), each))


def _axis_s(lines: Sequence[FrontierLine]) -> float:
    """The longest length of any line with a margin; never beyond the context where that is known."""
    found = [length for line in lines for lengths in _lengths(line) for length in lengths if length]
    context = max((line.context_s for line in lines if line.context_s is not None), default=None)
    longest = max(found, default=context or 1.0) * _MARGIN
    return max(longest if context is None else min(longest, context), _SHORTEST_S)


def _lengths(line: FrontierLine) -> Iterator[tuple[float | None, float | None, float | None]]:
    """Fits, likely fits and misfit, headless and with a desktop."""
    for predicted in (line.predicted_headless, line.predicted_desktop):
        if predicted is not None:
            yield predicted.fits_s, predicted.likely_fits_s, predicted.misfit_s
    if not line.is_predicted:
        yield line.longest_fit_s, None, line.smallest_misfit_s


# --- ways -------------------------------------------------------------------------------------------------


def _ways(lines: Sequence[FrontierLine], axis_s: float) -> Iterator[Way]:
    """One way for lines of one profile, operating system and provenance with equal lengths."""
    groups: dict[tuple[object, ...], list[FrontierLine]] = {}
    for line in lines:
        key = (line.provenance, _setting(line, "profile"), _system(line)[0], *_strips(line, axis_s))
        groups.setdefault(key, []).append(line)
    systems = list(dict.fromkeys(_system(line)[0] for line in lines))
    for group in sorted(groups.values(), key=lambda group: systems.index(_system(group[0])[0])):
        first = group[0]
        headless, desktop = _strips(first, axis_s)
        attentions = dict.fromkeys(labels.ATTENTIONS[line.attention] for line in group)
        profile = _setting(first, "profile")
        yield Way(
            provenance=first.provenance,
            profile=profile,
            name=f"{PROFILES.get(profile, profile)} ({' or '.join(attentions)})",
            system=_systems(group),
            headless=headless,
            desktop=desktop,
        )


def _systems(lines: Sequence[FrontierLine]) -> str:
    """`Linux with torch 2.13, 2.14`; all lines are of one operating system."""
    releases = dict.fromkeys(_system(line)[1] for line in lines)
    name = _system(lines[0])[0]
    return f"{name}{_TORCH}{', '.join(releases)}" if any(releases) else name


def _system(line: FrontierLine) -> tuple[str, str]:
    """The operating system and the release of torch; both are empty where they are not known."""
    name, _, release = _setting(line, "system").partition(_TORCH)
    return name, release


def _setting(line: FrontierLine, name: str) -> str:
    return dict(zip(SETTINGS, line.settings, strict=False)).get(name, "")


def _strips(line: FrontierLine, axis_s: float) -> tuple[Strip | None, Strip | None]:
    """The strips without a desktop and with one."""
    if not line.is_predicted:
        headless = _ran(line.longest_fit_s, line.smallest_misfit_s, axis_s)
        return headless, _ran(
            line.longest_fit_with_desktop_s, None, axis_s
        ) if line.desktop_is_known else None
    return (
        _predicted(line.predicted_headless, line.context_s, axis_s),
        _predicted(line.predicted_desktop, line.context_s, axis_s),
    )


def _predicted(lengths: PredictedLengths | None, context_s: float | None, axis_s: float) -> Strip | None:
    if lengths is None:
        return None
    nothing = labels.no_length(lengths.misfit_s)
    none_fits = nothing == labels.NO_CLIP
    likely = nothing if lengths.likely_is_known else units.NOT_AVAILABLE
    return Strip(
        fits=_up_to(lengths.fits_s, context_s) or nothing,
        likely=_up_to(lengths.likely_fits_s, context_s) or likely,
        misfit=labels.NEVER if lengths.misfit_s is None else _length(lengths.misfit_s),
        segments=segments(
            lengths.fits_s, lengths.likely_fits_s, 0.0 if none_fits else lengths.misfit_s, axis_s
        ),
    )


def _up_to(length_s: float | None, context_s: float | None) -> str:
    """`64 s`; `any clip` at the end of the model's context; empty for None."""
    if length_s is None:
        return ""
    return ANY_CLIP if context_s is not None and length_s >= context_s else _length(length_s)


def _length(length_s: float) -> str:
    """`90 s`; minutes from two on: `2 min 4 s`."""
    return units.clip_length(length_s) if length_s < 120 else units.seconds(length_s)


def _ran(longest_s: float | None, misfit_s: float | None, axis_s: float) -> Strip:
    """The strip of what ran; between the longest fit and the smallest misfit nothing is known."""
    return Strip(
        fits="none ran" if longest_s is None else _length(longest_s),
        likely=units.NOT_AVAILABLE,
        misfit="not seen" if misfit_s is None else _length(misfit_s),
        segments=segments(longest_s, None, misfit_s, axis_s),
    )


def segments(
    fits_s: float | None, likely_s: float | None, misfit_s: float | None, axis_s: float
) -> tuple[Segment, ...]:
    """The parts of the strip from left to right, none of them empty."""
    misfit = 1.0 if misfit_s is None else min(misfit_s / axis_s, 1.0)
    fits = min((fits_s or 0.0) / axis_s, misfit)
    likely = min(max((likely_s or 0.0) / axis_s, fits), misfit)
    ends = (
        ("fits", 0.0, fits),
        ("likely", fits, likely),
        ("uncertain", likely, misfit),
        ("misfit", misfit, 1.0),
    )
    return tuple(Segment(kind, begin, end) for kind, begin, end in ends if end > begin)


# --- what to type -----------------------------------------------------------------------------------------


def _command(check: Check, lines: Sequence[FrontierLine]) -> tuple[str, str]:
    """The command to type and its reason; both are empty where nothing can be recommended."""
    if check.provenance is not Provenance.DERIVED:
        return "", ""
    best = max(lines, key=_worth)
    if _worth(best) == (0.0, 0.0):
        return "bench plan --any-gpu", "No clip fits this card. This lists the cards on which one fits."
    profile = _setting(best, "profile")
    option = "" if profile == "faithful" else f" --profile {profile}"
    return f"bench run --gpu {check.gpu.slug}{option}", _reason(best, lines, profile)


def _reason(best: FrontierLine, lines: Sequence[FrontierLine], profile: str) -> str:
    other = [line for line in lines if _setting(line, "profile") != profile]
    if not other:
        return "It measures this card and writes a record that can be submitted."
    if profile == "faithful" or max(map(_worth, other)) == _worth(best):
        return "It runs as upstream does, and no other way holds a longer clip."
    return "lean holds the longest clip. Its output is that of upstream."


def _worth(line: FrontierLine) -> tuple[float, float]:
    """Sort key: the longest clip that fits, then the longest that likely does, over both budgets."""
    lengths = list(_lengths(line))
    return (
        max((fits or 0.0 for fits, _, _ in lengths), default=0.0),
        max((likely or 0.0 for _, likely, _ in lengths), default=0.0),
    )
