"""On which cards of the catalog everything that a plan asks for runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.judge.prediction import ORDER, budgets_of, cell_verdict, need_of
from bench.predict.planner import Planner
from bench.predict.target import every_card
from bench.records.base import Interval
from bench.records.enums import Verdict
from bench.records.record import Record

_FROM_BEST_TO_WORST: Final = (*ORDER, Verdict.UNSUPPORTED, Verdict.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One card of the catalog. `verdict` is that of the worst cell, `why` the reason for it.

    `need` is that of the cell that needs most; None where nothing was predicted.
    """

    slug: str
    name: str
    memory_total_bytes: int | None
    verdict: Verdict
    why: str
    need: Interval | None


@dataclass(frozen=True, slots=True)
class Survey:
    """Every card, from little memory to much, those of unknown memory last."""

    cards: tuple[Candidate, ...]

    @property
    def smallest_headless(self) -> Candidate | None:
        """The card with the least memory on which every cell surely runs without a display."""
        return self._first({Verdict.RUNS, Verdict.RUNS_HEADLESS})

    @property
    def smallest_desktop(self) -> Candidate | None:
        """The card with the least memory on which every cell surely runs beside a desktop."""
        return self._first({Verdict.RUNS})

    def _first(self, verdicts: set[Verdict]) -> Candidate | None:
        return next((card for card in self.cards if card.verdict in verdicts), None)


def survey(deriver: Planner) -> Survey:
    """Predict for the whole catalog.

    Raises:
        UsageError: a prompt that cannot be counted without a tokenizer.
    """
    known, unknown = every_card()
    asked = tuple(_candidate(deriver.record(target, frontier=False)) for target in known)
    rest = tuple(
        Candidate(card.slug, card.nvml_name, None, Verdict.UNKNOWN, card.remark or "no total is known", None)
        for card in unknown
    )
    return Survey(asked + rest)


def _candidate(record: Record) -> Candidate:
    budgets = budgets_of(record)
    judged = [cell_verdict(cell, budgets) for cell in record.cells]
    worst = max(judged, key=lambda verdict: _FROM_BEST_TO_WORST.index(verdict.verdict))
    needs = [need for cell in record.cells if (need := need_of(cell)) is not None]
    device = record.device
    return Candidate(
        device.slug, device.name, device.memory_total_bytes, worst.verdict, worst.why, _most(needs)
    )


def _most(needs: Sequence[Interval]) -> Interval | None:
    return max(needs, key=lambda need: need.high, default=None)
