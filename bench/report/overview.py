"""The index page over the reports of a folder: a row for each model on each card.

Without scripts the rows are ordered by model, memory and name. A script adds a search field and sorting.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import quote

from bench import units
from bench.check.sources import PRECEDENCE
from bench.judge.prediction import ORDER
from bench.records.check import Check, CheckRow, FrontierLine, PredictedLengths
from bench.records.enums import Provenance, Verdict
from bench.report.basics import Tone
from bench.report.html import environment
from bench.report.interface import View
from bench.text import MAX_NAME, clean
from bench.wording import labels

_SCRIPT: Final = Path(__file__).parent / "templates" / "overview.js"
_KINDS: Final = {
    Provenance.MEASURED: "measured",
    Provenance.DERIVED: "predicted",
    Provenance.EMULATED: "emulated",
    Provenance.SMOKE: "smoke run",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A text, its second line, and the number to sort by; None sorts last."""

    text: str
    note: str = ""
    order: float | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One model on one card. All cells are of one provenance, that of the verdict."""

    model: str
    card: Cell
    memory: Cell
    verdict: Cell
    tone: Tone
    kind: Cell
    longest: Cell
    speed: Cell
    records: Cell
    href: str

    @property
    def place(self) -> tuple[str, float, str, float, str]:
        """Place in the order without scripts: model, memory, name, then measured before predicted."""
        memory = self.memory.order or 0.0
        return self.model, memory, self.card.text, self.kind.order or 0.0, self.href


def entry(view: View, path: tuple[str, ...]) -> Entry:
    """Return the row of a report; `path` leads from the index to its page."""
    check = view.check
    emulated = check.emulation
    memory = view.identity.memory_total_bytes if emulated is None else emulated.total_bytes
    kind = check.provenance
    return Entry(
        model=clean(view.identity.model, MAX_NAME),
        card=Cell(
            clean(view.identity.gpu, MAX_NAME), "" if emulated is None else f"emulates {units.gib(memory)}"
        ),
        memory=Cell(units.gib(memory), order=memory),
        verdict=Cell(view.verdict_word, order=ORDER.index(check.verdict)),
        tone=view.verdict_tone,
        kind=Cell(_KINDS[kind], order=PRECEDENCE.index(kind)),
        longest=_longest(check),
        speed=_speed(check),
        records=Cell(f"{len(check.records):,}", _kinds(check), len(check.records)),
        href=quote("/".join(path)),
    )


def render(entries: Iterable[Entry]) -> str:
    """Return the page, which loads nothing. Text of records is escaped."""
    script = _script()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    template = environment().get_template("overview.html.j2")
    return template.render(
        entries=sorted(entries, key=lambda each: each.place), script=script, script_hash=digest
    )


@cache
def _script() -> str:
    return _SCRIPT.read_text(encoding="utf-8")


def _kinds(check: Check) -> str:
    """`1 measured, 6 predicted` where the records differ in provenance."""
    counted = Counter(record.provenance for record in check.records)
    if len(counted) == 1:
        return ""
    return ", ".join(f"{counted[kind]:,} {_KINDS[kind]}" for kind in PRECEDENCE if counted[kind])


# --- longest clip -----------------------------------------------------------------------------------------


def _longest(check: Check) -> Cell:
    lines = [line for line in check.frontier if line.provenance is check.provenance]
    if check.provenance is Provenance.DERIVED:
        return _longest_predicted(lines)
    ran = [line for line in lines if line.longest_fit_s is not None]
    if not ran:
        return Cell(units.NOT_AVAILABLE)
    best = max(ran, key=lambda line: (line.longest_fit_s or 0, -line.max_tokens))
    length_s = best.longest_fit_s or 0
    return Cell(f"{units.clip_length(length_s)} ran", _setting(best), length_s)


def _longest_predicted(lines: list[FrontierLine]) -> Cell:
    """The line with the longest clip, headless where that is known."""
    headless = [(line, line.predicted_headless, "headless") for line in lines]
    desktop = [(line, line.predicted_desktop, "with a desktop") for line in lines]
    known = [(line, found, budget) for line, found, budget in headless if found is not None] or [
        (line, found, budget) for line, found, budget in desktop if found is not None
    ]
    if not known:
        return Cell(units.NOT_AVAILABLE)
    line, best, budget = max(known, key=lambda one: (*_reach(one[1]), -one[0].max_tokens))
    words = [budget, _setting(line)]
    if best.likely_fits_s is not None:
        words.insert(0, f"likely up to {units.clip_length(best.likely_fits_s)}")
    return Cell(_fits(best, line.context_s), ", ".join(words), best.fits_s or 0)


def _fits(found: PredictedLengths, context_s: float | None) -> str:
    if found.fits_s is None:
        is_none = labels.no_length(found.misfit_s) == labels.NO_CLIP
        return "no clip fits" if is_none else "no clip fits for certain"
    is_all = context_s is not None and found.fits_s >= context_s
    return f"fits up to {units.clip_length(found.fits_s)}" + (", the model's limit" if is_all else "")


def _reach(found: PredictedLengths) -> tuple[float, float]:
    return found.fits_s or 0, found.likely_fits_s or 0


def _setting(line: FrontierLine) -> str:
    words = (f"{line.max_tokens} tokens", labels.ATTENTIONS[line.attention], *line.variant)
    return ", ".join(clean(word, MAX_NAME) for word in words)


# --- speed ------------------------------------------------------------------------------------------------


def _speed(check: Check) -> Cell:
    """Decode speed of the smallest cell that ran, or the ceiling of the smallest that may fit."""
    if check.provenance is Provenance.EMULATED or check.emulation is not None:
        return Cell(units.NOT_AVAILABLE)  # an emulated card has no speed
    found = min(_speeds(check), key=lambda one: (one[0].clip_seconds, one[0].max_tokens), default=None)
    if found is None:
        return Cell(units.NOT_AVAILABLE)
    row, rate = found
    text = units.rate(rate, "tok/s")
    shape = f"{units.clip_length(row.clip_seconds)} × {row.max_tokens} tokens"
    if check.provenance is Provenance.DERIVED:
        return Cell(f"at most {text}", f"ceiling, {shape}", rate)
    return Cell(text, shape, rate)


def _speeds(check: Check) -> Iterator[tuple[CheckRow, float]]:
    for row in check.rows:
        if row.provenance is not check.provenance:
            continue
        if check.provenance is not Provenance.DERIVED:
            figure = row.figure("decode_tokens_per_s")
            if row.status == "measured" and figure is not None and figure.value is not None:
                yield row, float(figure.value)
        elif row.envelope is not None and row.envelope.verdict is not Verdict.DOES_NOT_FIT:
            ceiling = row.envelope.ceiling
            if ceiling is not None and ceiling.decode_tokens_per_s is not None:
                yield row, ceiling.decode_tokens_per_s
