"""Weights on the disk, RAM, VRAM."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.doctor.checks import memory
from bench.doctor.facts import Weights
from bench.doctor.interface import WEIGHTS_BYTES, Check
from bench.units import GIB, MIB
from tests.samples.machines import HOST, budget, card, facts, process, state


def weights(present: int, free: int, *, offline: bool = False, with_card: bool = True) -> Check:
    here = Weights(complete=False, present_bytes=present, free_bytes=free, offline=offline)
    check = memory.weights(facts(*([card()] if with_card else []), weights=here))
    assert check is not None
    return check


def test_complete_weights_are_fine() -> None:
    check = memory.weights(facts(card()))
    assert check is not None
    assert check.status == "ok"


def test_without_the_package_that_finds_them_nothing_is_said_of_weights() -> None:
    assert memory.weights(facts(card(), weights=None)) is None


def test_absent_weights_with_room_for_them_are_told_with_their_size() -> None:
    check = weights(0, 100 * GIB)
    assert check.status == "note"
    assert "10.45 GB (9.73 GiB), to download; 100.00 GiB free" in check.summary


def test_a_download_that_was_begun_counts() -> None:
    check = weights(8 * 10**9, 4 * GIB)
    assert check.status == "note"
    assert "the rest, 2.45 GB (2.28 GiB), to download" in check.summary


def test_a_full_disk_says_how_much_to_free() -> None:
    check = weights(0, 8 * GIB)
    assert check.status == "problem"
    assert check.fix == "Free 2.23 GiB, or set HF_HOME to a folder on a larger disk"


@given(present=st.integers(0, 12 * 10**9), free=st.integers(0, 20 * 10**9))
def test_the_download_is_possible_exactly_if_what_is_missing_fits(present: int, free: int) -> None:
    missing = max(0, WEIGHTS_BYTES - present)
    fits = free >= missing + memory.DISK_MARGIN_BYTES
    assert weights(present, free).status == ("note" if fits else "problem")


def test_a_setting_with_which_the_hub_cannot_be_asked_is_named_where_weights_are_missing() -> None:
    here = Weights(False, 0, 100 * GIB, fault="HF_ENDPOINT is not a web address", fix="Unset HF_ENDPOINT")
    check = memory.weights(facts(card(), weights=here))
    assert check is not None
    assert (check.status, check.fix) == ("problem", "Unset HF_ENDPOINT")
    assert check.summary.endswith("; HF_ENDPOINT is not a web address")


def test_without_the_network_absent_weights_are_a_problem_for_a_card_only() -> None:
    check = weights(0, 100 * GIB, offline=True)
    assert check.status == "problem"
    assert "--weights random" in (check.fix or "")
    assert weights(0, 100 * GIB, offline=True, with_card=False).status == "note"
    assert weights(0, 0, with_card=False).status == "note"


@pytest.mark.parametrize(("free", "words"), [(24 * GIB, "24.00 GiB"), (6 * GIB, "smoke suite")])
def test_ram_without_a_card_says_what_runs(free: int, words: str) -> None:
    check = memory.ram(facts(host=replace(HOST, ram_available_bytes=free)))
    assert words in check.summary
    assert "11.18 GB" in check.summary
    assert check.status == ("ok" if free > 11 * GIB else "note")


def test_little_ram_beside_a_card_is_warned_of() -> None:
    assert memory.ram(facts(card(), host=replace(HOST, ram_available_bytes=GIB))).status == "warning"
    assert memory.ram(facts(card())).status == "ok"


def vram(headless_mib: int | None, now_mib: int | None, total_mib: int = 12282) -> Check:
    here = card(state=state(budget=budget(headless_mib, now_mib)), memory_total_bytes=total_mib * MIB)
    return memory.vram(here, HOST)


@pytest.mark.parametrize(
    ("headless", "now", "status", "mendable"),
    [
        (11848, 11846, "ok", True),  # RTX 4070, headless
        (11848, 11030, "ok", True),  # and with a desktop on it
        (11848, 10500, "warning", True),  # and with a browser: the context decides
        (11848, 8700, "problem", True),  # and with another program on it
        (7856, 7800, "problem", False),  # RTX 4060: 8 GB
        (10400, 10390, "warning", True),  # 11 GB
        (15900, 15800, "ok", True),
    ],
)
def test_vram_against_the_weights(headless: int, now: int, status: str, mendable: bool) -> None:
    check = vram(headless, now)
    assert (check.status, check.mendable) == (status, mendable)
    assert "the weights take 10.45 GB (9.73 GiB)" in check.summary
    assert "without a display" in check.summary
    assert "with a desktop" in check.summary


@given(headless=st.integers(0, 100_000), used=st.integers(0, 100_000))
def test_more_room_never_makes_it_worse(headless: int, used: int) -> None:
    worse = ("ok", "warning", "problem")
    now = max(0, headless - used)
    less, more = vram(headless, now), vram(headless + 1000, now + 1000)
    assert worse.index(more.status) <= worse.index(less.status)


def test_an_old_driver_tells_no_headless_budget_and_it_is_shown_as_such() -> None:
    check = vram(None, 11800)
    assert check.status == "ok"
    assert "without a display n/a" in check.summary


def test_the_program_that_holds_most_is_named() -> None:
    here = card(
        state=state(budget=budget(11848, 6000)),
        processes=(process("python", 5700, pid=7), process("Xorg", 90, pid=8)),
    )
    assert "close python (pid 7), which holds 5.57 GiB" in (memory.vram(here, HOST).fix or "")


@pytest.mark.parametrize(("free", "status"), [(100 * GIB, "note"), (8 * GIB, "warning")])
def test_where_memory_is_shared_the_ram_counts(free: int, status: str) -> None:
    here = card(state=state(budget=budget(None, None)), memory_total_bytes=None)
    check = memory.vram(here, replace(HOST, ram_available_bytes=free))
    assert check.status == status
    assert "no figure" in check.summary
