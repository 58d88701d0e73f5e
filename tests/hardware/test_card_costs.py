"""Costs of a card from its driver: exact, and none where the driver does not report its own part."""

from dataclasses import replace
from datetime import UTC, datetime

from bench.hardware.budget import CONTEXT, desktop_cost, driver_reserve
from bench.hardware.card_costs import catalog_costs, costs_now, given_desktop
from bench.units import GIB, MIB
from tests.hardware.samples import reading

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def test_what_the_driver_reports_is_exact_and_only_the_context_stays_a_range() -> None:
    costs = costs_now(reading(824), NOW)
    assert costs is not None
    assert (costs.basis, costs.read_at) == ("this_machine", NOW)
    assert (costs.reserve.low_bytes, costs.reserve.high_bytes) == (464 * MIB, 464 * MIB)
    assert (costs.desktop.low_bytes, costs.desktop.high_bytes) == (824 * MIB, 824 * MIB)
    assert costs.desktop.typical_bytes == 824 * MIB
    assert costs.context is CONTEXT
    assert costs.desktop.evidence == "in use now: 824 MiB (this card, by NVML memory v2)"


def test_a_driver_that_does_not_report_its_own_part_leaves_the_catalog() -> None:
    assert costs_now(None, NOW) is None
    assert costs_now(reading(490, reserved_mib=None), NOW) is None
    assert costs_now(replace(reading(0), total_bytes=0), NOW) is None
    costs = catalog_costs(12 * GIB, "linux")
    assert (costs.basis, costs.read_at) == ("catalog", None)
    assert (costs.reserve, costs.desktop) == (driver_reserve(12 * GIB, "linux"), desktop_cost("linux"))


def test_a_given_desktop_is_one_figure() -> None:
    term = given_desktop(700 * MIB).term
    assert (term.low_bytes, term.typical_bytes, term.high_bytes) == (700 * MIB,) * 3
    assert "--desktop-uses" in term.evidence
