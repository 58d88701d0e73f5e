"""The survey of the catalog: every cell of a plan request on every card."""

from collections.abc import Callable
from typing import Final

from bench.hardware.catalog import Card
from bench.judge.prediction import ORDER, budgets_from, cell_fit, cell_verdict, kernels_of, need_of
from bench.predict.planner import Planner
from bench.predict.target import Target, every_card
from bench.records.enums import Verdict
from bench.records.prediction import PlannedSystem
from bench.records.survey import Survey, SurveyCard
from bench.records.verdicts import CellReason, StatedReason, TotalUnknown
from bench.wording import predictions

_HEADLESS: Final = {Verdict.RUNS, Verdict.RUNS_HEADLESS}
_HOLDS: Final[dict[str, Callable[[SurveyCard], bool]]] = {
    "headless": lambda card: card.verdict in _HEADLESS,
    "headless_likely": lambda card: card.headless_likely,
    "desktop": lambda card: card.verdict is Verdict.RUNS,
    "desktop_likely": lambda card: card.desktop_likely,
}


def survey(planner: Planner, system: PlannedSystem) -> Survey:
    """Predict every cell for every card of the catalog on this system.

    Raises:
        UsageError: a prompt that cannot be counted without a tokenizer.
    """
    known, unknown = every_card(system)
    cards = [_card(planner, target) for target in known]
    headroom = planner.derivation(known[0]).headroom
    smallest = {
        f"smallest_{kind}": next((card.slug for card in cards if holds(card)), None)
        if headroom is None or kind.startswith(headroom)
        else None
        for kind, holds in _HOLDS.items()
    }
    return Survey(
        schema_version="1.0",
        created_at=planner.created_at,
        provenance="derived",
        model=planner.model.info,
        suite=planner.request.suite_info,
        system=system,
        headroom=headroom,
        cards=(*cards, *map(_unpredicted, unknown)),
        **smallest,
    )


def _card(planner: Planner, target: Target) -> SurveyCard:
    device, results = target.info, planner.results(target)
    budgets = budgets_from(planner.derivation(target), device.memory_total_bytes)
    judged = [cell_verdict(cell, budgets) for cell in results]
    worst = max(judged, key=lambda verdict: ORDER.index(verdict.verdict))
    needs = [need for cell in results if (need := need_of(cell)) is not None]
    fits = [cell_fit(cell, budgets) for cell in results]
    return SurveyCard(
        slug=device.slug,
        name=device.name,
        memory_total_bytes=device.memory_total_bytes,
        verdict=worst.verdict,
        why=predictions.cell(worst.why),
        why_code=worst.why,
        headless_likely=all(fit.headless_likely for fit in fits),
        desktop_likely=all(fit.desktop_likely for fit in fits),
        device_peak_bytes=max(needs, key=lambda need: need.high, default=None),
        attention_kernels=kernels_of(results),
    )


def _unpredicted(card: Card) -> SurveyCard:
    """Return a card of unknown memory."""
    why: CellReason = StatedReason(text=card.remark) if card.remark else TotalUnknown()
    return SurveyCard(
        slug=card.slug,
        name=card.nvml_name,
        memory_total_bytes=None,
        verdict=Verdict.UNKNOWN,
        why=predictions.cell(why),
        why_code=why,
        headless_likely=False,
        desktop_likely=False,
        device_peak_bytes=None,
        attention_kernels=(),
    )
