"""What no card can do: each figure at, below and beyond its slack."""

import pytest
from pydantic import JsonValue

from bench.records.enums import Profile
from bench.units import GIB, MIB
from bench.validate import physics as rules
from tests.validate import edits
from tests.validate.edits import Document, document_of, edited, fresh, value_at
from tests.validate.good import good
from tests.validate.recipes import Recipe

POWER, SUMMARY = "cells[0].power", "cells[0].summary"


def about(changes: dict[str, JsonValue], document: Document | None = None) -> list[tuple[str, str]]:
    """Return what these rules alone find."""
    candidate = edits.candidate(edited(changes, document))
    return [(found.code, found.path) for found in rules.physics(candidate)]


def test_an_ordinary_record_does_what_a_card_can() -> None:
    assert about({}) == []


# --- memory -----------------------------------------------------------------------------------------------


def test_a_peak_below_the_weights() -> None:
    changes: dict[str, JsonValue] = {
        f"cells[0].memory.phases.{phase}.allocated_peak_bytes": 9 * GIB
        for phase in ("preprocess", "encode", "prefill", "decode")
    }
    path = f"{SUMMARY}.allocated_peak_bytes"
    assert about(changes) == [("memory_below_weights", path)]
    assert about({**changes, "cells[0].memory.weights_bytes": 0}) == [("memory_below_weights", path)]


def test_lean_moves_the_embeddings_to_the_host() -> None:
    lean = document_of(good(Recipe(profile=Profile.LEAN, clips=(10.0,), tokens=(16,))))
    assert about({}, lean) == []
    at_home = {"cells[0].effective.embeddings": "device"}
    assert about({**at_home}, lean) == [("memory_below_weights", "cells[0].summary.allocated_peak_bytes")]


@pytest.mark.parametrize(
    ("left_out", "name"),
    [
        ((), "reserved_peak_bytes"),
        (("reserved_peak_bytes",), "process_peak_bytes"),
        (("reserved_peak_bytes", "process_peak_bytes"), "device_peak_bytes"),
    ],
)
def test_a_peak_below_the_weights_where_the_framework_counted_nothing(
    left_out: tuple[str, ...], name: str
) -> None:
    changes: dict[str, JsonValue] = {"cells[0].memory": None, "cells[0].effective": None}
    changes |= {f"{SUMMARY}.{each}": None for each in left_out}
    for each in ("reserved_peak_bytes", "process_peak_bytes", "device_peak_bytes"):
        changes |= {f"{SUMMARY}.{each}": GIB // 2} if each not in left_out else {}
    assert about(changes) == [("memory_below_weights", f"{SUMMARY}.{name}")]


@pytest.mark.parametrize("name", ["reserved_peak_bytes", "process_peak_bytes", "device_peak_bytes"])
def test_a_peak_above_the_card_where_the_framework_counted_nothing(name: str) -> None:
    names = ("reserved_peak_bytes", "process_peak_bytes", "device_peak_bytes")
    changes: dict[str, JsonValue] = {f"{SUMMARY}.{each}": None for each in names}
    above: dict[str, JsonValue] = {"cells[0].memory": None, f"{SUMMARY}.{name}": 25 * GIB}
    assert about({**changes, **above}) == [("memory_above_card", f"{SUMMARY}.{name}")]


def test_mebibytes_as_bytes() -> None:
    changes: dict[str, JsonValue] = {
        f"cells[0].memory.phases.{phase}.{name}_peak_bytes": 10_240
        for phase in ("preprocess", "encode", "prefill", "decode")
        for name in ("allocated", "reserved")
    }
    assert ("memory_below_weights", f"{SUMMARY}.allocated_peak_bytes") in about(changes)


def test_allocated_above_reserved() -> None:
    where = "cells[0].memory.phases.encode"
    reserved = value_at(fresh(), f"{where}.allocated_peak_bytes") - MIB
    assert about({f"{where}.reserved_peak_bytes": reserved}) == [("memory_disordered", where)]


def test_allocated_above_the_card() -> None:
    more = 25 * GIB
    changes: dict[str, JsonValue] = {
        "cells[0].memory.phases.prefill.allocated_peak_bytes": more,
        "cells[0].memory.phases.prefill.reserved_peak_bytes": more,
    }
    path = f"{SUMMARY}.allocated_peak_bytes"
    assert about(changes) == [("memory_above_card", path)]
    spilled: dict[str, JsonValue] = {f"{SUMMARY}.labels": ["spilled"]}
    assert about({**changes, **spilled}) == []
    assert about({**changes, **spilled, "environment.ram_bytes": GIB // 2}) == [("memory_above_card", path)]
    assert about({**changes, **spilled, "environment.ram_bytes": None}) == []


@pytest.mark.parametrize(
    ("short", "code"),
    [(32 * MIB, None), (200 * MIB, "reading_unusual"), (4 * GIB, "memory_disordered")],
)
def test_a_peak_of_the_driver_below_what_the_framework_held(short: int, code: str | None) -> None:
    path = f"{SUMMARY}.process_peak_bytes"
    process = value_at(fresh(), f"{SUMMARY}.reserved_peak_bytes") - short
    assert about({path: process}) == ([] if code is None else [(code, path)])


def test_a_card_in_use_beyond_its_memory() -> None:
    path = f"{SUMMARY}.device_peak_bytes"
    assert about({path: 25 * GIB}) == [("memory_above_card", path)]


# --- power and readings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("watts", "is_error"), [(540.0, False), (600.0, True)])
def test_power_against_its_limit(watts: float, is_error: bool) -> None:
    path = f"{POWER}.power_w.high"
    assert about({path: watts}) == ([("power_above_limit", path)] if is_error else [])


@pytest.mark.parametrize(("limit", "most_w"), [(450.0, 562.5), (600.0, 750.0), (None, 843.75), (1e9, 843.75)])
def test_the_limit_is_the_drivers_and_at_most_half_above_the_specification(
    limit: float | None, most_w: float
) -> None:
    path = f"{POWER}.power_w.high"
    state: dict[str, JsonValue] = {"device_state.power_limit_w": limit}
    assert about({**state, path: most_w - 1}) == []
    assert about({**state, path: most_w + 1}) == [("power_above_limit", path)]


def test_the_limit_of_a_laptop_moves() -> None:
    """80 W when the run began, 110 W with dynamic boost; of an unknown laptop nothing is known."""
    path = f"{POWER}.power_w.high"
    state: dict[str, JsonValue] = {"device_state.power_limit_w": 80.0}
    laptop = document_of(good(Recipe(card="rtx-4080-laptop", clips=(10.0,), tokens=(8,))))
    assert about({**state, path: 110.0}, laptop) == []
    assert about({**state, path: 300.0}, laptop) == [("power_above_limit", path)]
    assert about({"device_state.power_limit_w": 1e9, path: 1e6}, laptop) == [("power_above_limit", path)]
    unlisted = document_of(good(Recipe(card="NVIDIA Thing Laptop GPU", clips=(10.0,), tokens=(8,))))
    assert about({**state, path: 110.0}, unlisted) == []


def test_energy_against_power_and_time() -> None:
    path, took = f"{POWER}.energies_j[2]", value_at(fresh(), "cells[0].repeats[2].latency_s")
    assert about({path: 1.05 * 450 * (took + 0.1)}) == []
    assert about({path: 1.15 * 450 * (took + 0.1)}) == [("energy_above_power", path)]
    assert about({path: 0.0}) == [("energy_below_idle", path)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sm_clock_mhz", {"low": 210, "median": 2500, "high": 99_999}),
        ("sm_clock_mhz", {"low": 1, "median": 2500, "high": 2600}),
        ("sm_clock_mhz", {"low": 2600, "median": 2500, "high": 2600}),
        ("memory_clock_mhz", {"low": 405, "median": 10_501, "high": 22_000}),
        ("temperature_c", {"low": -40, "median": 50, "high": 60}),
        ("temperature_c", {"low": 30, "median": 50, "high": 140}),
        ("pcie_generation", 9),
        ("pcie_generation", 5),
        ("pcie_width", 12),
        ("pcie_width", 32),
    ],
)
def test_a_reading_that_no_driver_reports(name: str, value: JsonValue) -> None:
    assert about({f"{POWER}.{name}": value}) == [("reading_impossible", f"{POWER}.{name}")]


def test_a_hot_card_is_unusual() -> None:
    hot: dict[str, JsonValue] = {f"{POWER}.temperature_c": {"low": 50, "median": 90, "high": 97}}
    assert about(hot) == [("reading_unusual", f"{POWER}.temperature_c")]


def test_energy_against_a_power_limit_that_nobody_can_set() -> None:
    path, took = f"{POWER}.energies_j[2]", value_at(fresh(), "cells[0].repeats[2].latency_s")
    changes: dict[str, JsonValue] = {"device_state.power_limit_w": 1e9, path: 1e5 * (took + 0.1)}
    assert about(changes) == [("energy_above_power", path)]


def test_an_energy_of_no_repeat() -> None:
    path = f"{POWER}.energies_j"
    energies = value_at(fresh(), path)
    assert about({path: [*energies, 1e6]}) == [("reading_impossible", path)]
    assert about({path: energies[:-1]}) == [("reading_impossible", path)]
    assert about({path: []}) == []
