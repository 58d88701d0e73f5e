"""Bytes available on a card, predicted and measured, and when a need fits them."""

import re
from statistics import median
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import ExitCode, UsageError
from bench.hardware.budget import (
    CONTEXT,
    Cost,
    desktop_cost,
    driver_reserve,
    fit,
    less,
    measured_budget,
    total_of,
    typical_bytes,
)
from bench.hardware.catalog import Card, cards
from bench.hardware.display import DISPLAY_MOST_BYTES
from bench.hardware.readings import MemoryReading
from bench.records.base import ByteInterval
from bench.records.enums import Fit, OperatingSystem
from bench.records.prediction import Term
from bench.units import GIB, MIB
from tests.hardware.samples import reading

# --- predicted, for a card of the catalog -----------------------------------------------------------------


def card(slug: str) -> Card:
    return next(found for found in cards() if found.slug == slug)


def mib(low: int, high: int) -> ByteInterval:
    return ByteInterval(low=low * MIB, high=high * MIB)


COSTS: Final = [
    CONTEXT,
    *(driver_reserve(total, "linux") for total in (12 * GIB, 24 * GIB)),
    *(
        cost
        for system in ("linux", "windows")
        for cost in (desktop_cost(system), driver_reserve(GIB, system))
    ),
]


@pytest.mark.parametrize("cost", COSTS, ids=lambda cost: cost.what)
def test_a_typical_cost_is_the_median_of_the_figures_that_its_evidence_lists(cost: Cost) -> None:
    _, listed = cost.evidence.split(": ", 1)
    stated = re.findall(r"([0-9]+)(?: to ([0-9]+))? MiB \(", listed)
    middles = [(int(low) + int(high or low)) / 2 for low, high in stated]
    assert len(middles) == len(cost.figures)
    assert cost.term.typical_bytes == median(middles) * MIB
    assert cost.low_bytes <= min(int(low) for low, _ in stated) * MIB
    assert cost.high_bytes == max(int(high or low) for low, high in stated) * MIB


def test_the_typical_costs() -> None:
    """They are in docs/envelope.md, and no longer chosen by hand."""
    assert [cost.typical_bytes / MIB for cost in COSTS] == [280, 288, 434, 696.5, 288, 1100, 14]


def test_what_typical_costs_leave_needs_every_one_of_them() -> None:
    reserve, unknown = driver_reserve(GIB, "linux").term, Term(low_bytes=1, high_bytes=2, evidence="older")
    assert typical_bytes(GIB, reserve) == GIB - 288 * MIB
    assert typical_bytes(GIB, reserve, unknown) is None
    assert typical_bytes(GIB, reserve, None) is None
    assert typical_bytes(MIB, reserve) == 0


def test_a_budget_is_never_negative() -> None:
    assert less(mib(300, 300), desktop_cost("linux").term) == mib(0, 89)


# gpu-notes: what torch states as its total of a card, in MiB, in the systems where it was seen.
SEEN: Final[list[tuple[str, OperatingSystem, float]]] = [
    ("rtx-4070", "linux", 11994),
    ("rtx-4070", "linux", 12002),
    ("rtx-4070", "windows", 12282),
    ("rtx-3060-12gb", "linux", 11910),
    ("rtx-3060-12gb", "linux", 12045),
    ("rtx-3060-12gb", "linux", 11.49 * 1024),
    ("rtx-3060-12gb", "linux", 11.76 * 1024),
    ("rtx-4090", "linux", 24081),
    ("rtx-4090", "linux", 24217),
    ("rtx-4090", "windows", 24564),
    ("rtx-5080", "linux", 15.70 * 1024),
    ("rtx-5080", "windows", 16275),
]


@pytest.mark.parametrize(("slug", "system", "total_mib"), SEEN)
def test_every_total_that_torch_was_seen_to_state_is_within_the_reserve(
    slug: str, system: OperatingSystem, total_mib: float
) -> None:
    total = total_of(card(slug))
    reserve = driver_reserve(total, system).interval
    assert reserve.low <= total - total_mib * MIB <= reserve.high


def test_a_card_without_known_memory_is_refused_in_one_line() -> None:
    with pytest.raises(
        UsageError, match=r"NVIDIA GB10: .* no memory size for it \(memory is the host's"
    ) as no:
        total_of(card("gb10"))
    assert no.value.exit_code is ExitCode.USAGE
    assert "bench run" in str(no.value)
    assert "\n" not in str(no.value)


@pytest.mark.parametrize(
    ("need", "expected"),
    [
        ((1, 100), Fit.FITS),
        ((1, 101), Fit.TOO_CLOSE_TO_CALL),
        ((200, 300), Fit.TOO_CLOSE_TO_CALL),
        ((201, 300), Fit.DOES_NOT_FIT),
    ],
)
def test_only_a_whole_interval_says_yes_or_no(need: tuple[int, int], expected: Fit) -> None:
    assert fit(ByteInterval(low=need[0], high=need[1]), ByteInterval(low=100, high=200)) is expected


@given(st.lists(st.integers(0, 100), min_size=4, max_size=4), st.integers(0, 50))
def test_needing_more_never_fits_better(ends: list[int], more: int) -> None:
    order = [Fit.FITS, Fit.TOO_CLOSE_TO_CALL, Fit.DOES_NOT_FIT]
    (a, b), (c, d) = sorted(ends[:2]), sorted(ends[2:])
    budget = ByteInterval(low=c, high=d)
    now, then = (
        fit(ByteInterval(low=a, high=b), budget),
        fit(ByteInterval(low=a + more, high=b + more), budget),
    )
    assert order.index(then) >= order.index(now)


# --- measured, on a card of this machine ------------------------------------------------------------------


@st.composite
def readings(draw: st.DrawFn) -> MemoryReading:
    total = draw(st.integers(0, 200 * GIB))
    reserved = draw(st.one_of(st.none(), st.integers(0, total)))
    used = draw(st.integers(0, total - (reserved or 0)))
    free = total - used - (reserved or 0)
    return MemoryReading(
        "NVML memory v1" if reserved is None else "NVML memory v2", total, used, free, reserved
    )


sizes = st.one_of(st.none(), st.integers(0, 20 * GIB))


@given(readings(), st.sampled_from([True, False, None]), sizes)
def test_a_desktop_leaves_less_than_no_desktop_and_both_less_than_the_card(
    memory: MemoryReading, display: bool | None, graphics: int | None
) -> None:
    budget = measured_budget(memory, display, graphics)
    assert budget.now_bytes == memory.free_bytes
    if memory.reserved_bytes is None:
        assert set(budget.model_dump(exclude={"now_bytes"}).values()) == {None}
        return
    assert budget.headless_bytes is not None
    assert budget.desktop_bytes is not None
    assert budget.desktop_use_bytes is not None
    assert budget.desktop_use_source is not None
    assert 0 <= budget.desktop_bytes <= budget.headless_bytes <= memory.total_bytes
    assert budget.now_bytes <= budget.headless_bytes
    assert budget.headless_bytes - budget.desktop_bytes <= budget.desktop_use_bytes
    is_measured = budget.desktop_use_source.startswith("measured here")
    assert is_measured == bool(display and graphics is not None and graphics <= DISPLAY_MOST_BYTES)
    assert budget.desktop_use_bytes == (graphics if is_measured else desktop_cost("linux").typical_bytes)


@given(st.sampled_from([True, False, None]), sizes)
def test_without_a_memory_figure_nothing_is_made_up(display: bool | None, graphics: int | None) -> None:
    assert set(measured_budget(None, display, graphics).model_dump().values()) == {None}


def test_a_driver_that_does_not_tell_its_own_part_leaves_only_what_is_free_now() -> None:
    budget = measured_budget(reading(490, reserved_mib=None), False, None)
    assert (budget.headless_bytes, budget.desktop_bytes, budget.desktop_use_bytes) == (None, None, None)
    assert budget.now_bytes == (12282 - 490) * MIB


def test_the_figures_of_a_real_card() -> None:
    budget = measured_budget(reading(824), True, 824 * MIB)
    assert budget.headless_bytes == (12282 - 464) * MIB
    assert budget.desktop_bytes == (12282 - 464 - 824) * MIB == budget.now_bytes


def test_under_windows_no_budget_without_a_desktop_is_measured() -> None:
    budget = measured_budget(reading(824), True, 824 * MIB, wddm=True)
    assert budget.headless_bytes is None
    assert budget.desktop_bytes == (12282 - 464 - 824) * MIB
    assumed = measured_budget(reading(824), None, None, wddm=True)
    assert assumed.desktop_use_source is not None
    assert "desktop of Windows: 702 MiB (idle" in assumed.desktop_use_source
