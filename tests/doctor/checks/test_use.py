"""Other programs, the display, the power limit, Windows."""

from dataclasses import replace

import pytest

from bench.doctor.checks import use
from bench.doctor.facts import Host, Process
from bench.doctor.interface import Check
from tests.samples.machines import HOST, budget, card, facts, process, state

WSL2 = replace(HOST, wsl2=True)
CONTAINER = replace(HOST, container=True)


def processes(*found: Process, host: Host = HOST) -> Check:
    return use.processes(card(processes=found), host)


def test_another_computation_is_to_be_stopped() -> None:
    check = processes(process("python", 3100, compute=True), process("firefox", 310, pid=3))
    assert check.status == "warning"
    assert check.summary == "python (pid 4242) 3.03 GiB"
    assert "Stop python (pid 4242)" in (check.fix or "")


def test_windows_are_listed_largest_first_and_the_rest_counted() -> None:
    found = [process(f"p{number}", 10 * number, pid=number) for number in range(1, 6)]
    check = processes(*found)
    assert check.status == "note"
    assert check.summary == "p5 (pid 5) 50.0 MiB, p4 (pid 4) 40.0 MiB, p3 (pid 3) 30.0 MiB, 2 more"


def test_where_memory_is_tight_windows_are_worth_closing() -> None:
    here = card(state=state(budget=budget(11848, 10500)), processes=(process("firefox", 900),))
    check = use.processes(here, HOST)
    assert check.status == "warning"
    assert "firefox" in (check.fix or "")


def test_a_size_that_is_not_told_is_shown_as_such() -> None:
    check = processes(process("Xwayland", None), host=WSL2)
    assert check.summary == "Xwayland (pid 4242) n/a; Windows does not report how much each uses"
    assert "Windows" not in processes(process("Xwayland", None)).summary


def test_a_container_does_not_see_everybody() -> None:
    assert processes().status == "ok"
    check = processes(host=CONTAINER)
    assert check.status == "note"
    assert "container" in check.summary
    unnamed = processes(process(None, 500, compute=True), host=CONTAINER)
    assert unnamed.summary == "an unnamed program (pid 4242) 0.49 GiB"


def test_no_list_is_not_an_empty_list() -> None:
    check = use.processes(card(processes=None), CONTAINER)
    assert check.status == "note"
    assert "--pid=host" in (check.fix or "")


def display(host: Host = HOST, name: str = "NVIDIA GeForce RTX 4070", headless: int = 11848) -> Check:
    here = card(state=state(display=True, budget=budget(headless, headless - 797)), name=name)
    check = use.display(here, host)
    assert check is not None
    return check


def test_a_desktop_on_a_small_card_says_what_it_costs_and_how_to_get_it_off() -> None:
    check = display()
    assert check.status == "warning"
    assert check.summary == "a desktop on this card takes 0.78 GiB (assumed)"
    assert "mainboard" in (check.fix or "")
    assert "SSH" in (check.fix or "")


def test_the_fix_fits_the_machine() -> None:
    assert "hybrid" in (display(name="NVIDIA GeForce RTX 4080 Laptop GPU").fix or "")
    assert "SSH" not in (display(WSL2).fix or "")


def test_a_large_card_carries_its_desktop() -> None:
    check = display(headless=24000)
    assert (check.status, check.fix) == ("note", None)


def test_no_display_and_no_answer_differ() -> None:
    none, unknown = use.display(card(), HOST), use.display(card(state=state(display=None)), HOST)
    assert none is not None
    assert unknown is not None
    assert (none.status, unknown.status) == ("ok", "note")
    assert use.display(card(is_mig=True), HOST) is None


def power(limit: float | None, default: float | None, **changes: object) -> Check:
    here = card(state=state(power_limit_w=limit, power_limit_default_w=default))
    return use.power(here, facts(here, **changes))


def test_a_lowered_limit_names_the_command_that_raises_it() -> None:
    check = power(140, 200)
    assert check.status == "warning"
    assert check.command == "sudo nvidia-smi -pl 200"
    assert "140 W" in check.summary


def test_with_several_cards_the_command_names_which() -> None:
    capped = card(state=state(power_limit_w=140, power_limit_default_w=200))
    check = use.power(capped, facts(capped, card()))
    assert check.command == f"sudo nvidia-smi -i {capped.uuid} -pl 200"


def test_in_windows_there_is_no_sudo() -> None:
    assert power(140, 200, host=replace(HOST, windows=True)).command == "nvidia-smi -pl 200"


@pytest.mark.parametrize(
    ("limit", "default", "status", "words"),
    [
        (200, 200, "ok", "limit 200 W, the default"),
        (230, 200, "ok", "limit 230 W"),
        (95, None, "ok", "limit 95 W"),
        (None, None, "note", "the driver does not report the limit"),
    ],
)
def test_any_other_limit_is_fine(limit: float | None, default: float | None, status: str, words: str) -> None:
    check = power(limit, default)
    assert (check.status, check.summary) == (status, words)


@pytest.mark.parametrize("host", [WSL2, replace(HOST, windows=True)])
def test_windows_spills_where_others_fail(host: Host) -> None:
    check = use.spill(host)
    assert check is not None
    assert "Prefer No Sysmem Fallback" in (check.fix or "")


def test_linux_does_not() -> None:
    assert use.spill(HOST) is None
