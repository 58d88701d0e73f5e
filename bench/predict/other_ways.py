"""The longest clips of the other profiles and systems on a card, as far as they are stored."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from bench.hardware.budget import has_wddm
from bench.judge.prediction import budgets_from
from bench.predict.cells import NotStoredError, Predictions, unsupported_reason
from bench.predict.frontier import longest_clips
from bench.predict.setting import setting_of
from bench.predict.target import Target, on_system
from bench.records.enums import OperatingSystem, Profile
from bench.records.prediction import ANSWER_TOKENS, Derivation, OtherWay, PlannedSystem
from bench.suite.cells import Cell

_SYSTEMS: Final[tuple[OperatingSystem, ...]] = ("linux", "windows")


def other_ways(
    cells: Sequence[Cell],
    target: Target,
    predictions: Predictions,
    max_positions: int,
    derivation_of: Callable[[Target], Derivation],
) -> tuple[OtherWay, ...]:
    """Return the longest clips of each other profile and system; of a CPU none.

    `predictions` trace nothing: a way that is not stored is left out. Where only a headless card was asked
    for, so are systems that always have a desktop.
    """
    if target.card is None or target.system is None:
        return ()
    found, is_headless = list[OtherWay](), derivation_of(target).headroom == "headless"
    for profile, system in _ways(cells[0].requested.profile, target.system):
        if is_headless and has_wddm(system.os):
            continue
        asked = [_with_profile(cell, profile) for cell in cells]
        planned = target if system == target.system else on_system(target, system)
        with suppress(NotStoredError):
            found.extend(_way(asked, planned, predictions, max_positions, derivation_of(planned)))
    return tuple(found)


def _ways(profile: Profile, system: PlannedSystem) -> Iterator[tuple[Profile, PlannedSystem]]:
    systems = (system, *(PlannedSystem(os=os, torch=system.torch) for os in _SYSTEMS if os != system.os))
    return ((each, on) for on in systems for each in Profile if (each, on) != (profile, system))


def _with_profile(cell: Cell, profile: Profile) -> Cell:
    return replace(cell, requested=cell.requested.model_copy(update={"profile": profile}))


def _way(
    cells: Sequence[Cell],
    target: Target,
    predictions: Predictions,
    max_positions: int,
    derivation: Derivation,
) -> list[OtherWay]:
    possible = [c for c in cells if unsupported_reason(c.requested, target, max_positions) is None]
    if target.system is None or derivation.context is None or not possible:
        return []
    requests = {cell.requested.attention: cell.requested for cell in possible}
    lines = longest_clips(
        possible,
        target,
        predictions,
        max_positions,
        budgets=budgets_from(derivation, target.info.memory_total_bytes),
        context_most_bytes=derivation.context.high_bytes,
    )
    answers = {line.max_tokens for line in lines}
    tokens = ANSWER_TOKENS if ANSWER_TOKENS in answers else max(answers, default=0)
    return [
        OtherWay(
            profile=requests[line.attention].profile,
            system=target.system,
            attention_kernel=setting_of(requests[line.attention], target).kernel,
            headroom=derivation.headroom,
            lengths=line,
        )
        for line in lines
        if line.max_tokens == tokens
    ]
