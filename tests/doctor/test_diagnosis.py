"""The whole: order, conclusion, next command."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.doctor.diagnosis import diagnose, in_order
from bench.doctor.facts import Card, Facts, TorchBuild, Trial, Weights
from bench.doctor.interface import ORDER, Check, Diagnosis
from bench.units import GIB
from tests.samples.machines import HOST, TORCH, budget, card, facts, process, state

CPU_BUILD = TorchBuild("2.13.0+cpu", None)

cards: st.SearchStrategy[Card] = st.builds(
    card,
    compute_capability=st.sampled_from(["7.5", "8.9", "12.0", None]),
    driver_cuda=st.sampled_from(["11.8", "12.2", "13.0", None]),
    state=st.builds(
        state,
        display=st.sampled_from([True, False, None]),
        budget=st.builds(
            budget, st.sampled_from([7856, 11848, 23000]), st.sampled_from([500, 7800, 10500, 11800])
        ),
        power_limit_w=st.sampled_from([None, 140.0, 200.0]),
    ),
    processes=st.sampled_from([None, (), (process("python", 900, compute=True),)]),
    trial=st.sampled_from([None, Trial(("sm_80", "sm_120")), Trial((), "OSError: libcudart")]),
)
machines: st.SearchStrategy[Facts] = st.builds(
    lambda found, **changes: facts(*found, **changes),
    st.lists(cards, max_size=3),
    host=st.builds(
        replace,
        st.just(HOST),
        python=st.sampled_from([(3, 10, 0), (3, 12, 0)]),
        wsl2=st.booleans(),
        container=st.booleans(),
        ram_available_bytes=st.sampled_from([GIB, 24 * GIB]),
    ),
    torch=st.sampled_from([None, CPU_BUILD, TORCH]),
    weights=st.builds(Weights, st.booleans(), st.just(0), st.sampled_from([GIB, 100 * GIB]), st.booleans()),
    driver_error=st.none(),
)


def all_checks(diagnosis: Diagnosis) -> list[Check]:
    return [*diagnosis.checks, *(check for gpu in diagnosis.gpus for check in gpu.checks)]


@given(machines)
def test_everything_that_is_wrong_says_what_to_do(here: Facts) -> None:
    for check in all_checks(diagnose(here)):
        assert check.status not in {"warning", "problem"} or check.fix
        assert check.command is None or check.command in (check.fix or "")


@given(machines)
def test_a_run_is_promised_exactly_where_no_problem_stands_in_its_way(here: Facts) -> None:
    found = diagnose(here)
    machine_works = all(check.status != "problem" for check in found.checks)
    working = [
        gpu for gpu in found.gpus if machine_works and all(check.status != "problem" for check in gpu.checks)
    ]
    assert found.can_run == (bool(working) if found.gpus else machine_works)
    assert found.can_run == (found.next_command or "").startswith("bench run")
    if working:
        assert found.next_command in {f"bench run --gpu {gpu.slug}" for gpu in working}


@given(machines)
def test_checks_come_in_the_order_in_which_a_person_would_mend_them(here: Facts) -> None:
    found = diagnose(here)
    for checks in (found.checks, *(gpu.checks for gpu in found.gpus)):
        mendable = [ORDER.index(check.name) for check in checks if check.mendable]
        assert mendable == sorted(mendable)
        assert [check.mendable for check in checks] == sorted(check.mendable for check in checks)


@given(machines)
def test_the_next_command_is_that_of_the_first_problem(here: Facts) -> None:
    found = diagnose(here)
    if found.can_run or len(found.gpus) > 1:
        return
    first = next(check for check in in_order(all_checks(found)) if check.status == "problem")
    assert found.next_command == (first.command if first.mendable else None)


@given(machines)
def test_the_json_form_reads_back(here: Facts) -> None:
    found = diagnose(here)
    assert Diagnosis.model_validate_json(found.model_dump_json()) == found


def test_a_machine_on_which_all_is_fine() -> None:
    found = diagnose(facts(card()))
    assert found.can_run
    assert found.conclusion == "MOSS-Audio-4B-Instruct can run on rtx-4070."
    assert {check.status for check in all_checks(found)} <= {"ok", "note"}


def test_warnings_are_counted() -> None:
    capped = card(state=state(power_limit_w=140.0))
    assert "with 1 warning above" in diagnose(facts(capped)).conclusion


def test_a_card_that_can_never_run_it_sends_nobody_to_install_torch() -> None:
    turing = card(slug="rtx-2080-ti", compute_capability="7.5", trial=None)
    found = diagnose(facts(turing, torch=CPU_BUILD))
    assert not found.can_run
    assert found.next_command is None
    assert "cannot run on rtx-2080-ti, and no setting changes that: see BF16" in found.conclusion


def test_of_two_cards_the_one_that_can_run_is_recommended() -> None:
    small = card(slug="rtx-4060", state=state(budget=budget(7856, 7800)))
    large = card(slug="rtx-4090", state=state(budget=budget(24000, 23900)))
    found = diagnose(facts(small, card(), large))
    assert found.next_command == "bench run --gpu rtx-4090"
    assert [gpu.can_run for gpu in found.gpus] == [False, True, True]


def test_what_has_no_command_is_told_in_words() -> None:
    crowded = card(
        state=state(budget=budget(11848, 6000)), processes=(process("python", 5700, compute=True),)
    )
    found = diagnose(facts(crowded))
    assert found.next_command is None
    assert "Fix first: Free 4.02 GiB or more: close python" in found.conclusion


@pytest.mark.parametrize(
    ("changes", "command"),
    [({}, "bench run"), ({"cpu_wanted": True}, "bench run --device cpu")],
)
def test_without_a_card_the_smoke_suite_runs(changes: dict[str, Any], command: str) -> None:
    found = diagnose(facts(torch=CPU_BUILD, **changes))
    assert found.can_run
    assert found.next_command == command
    assert "4B model too" in found.conclusion
    little = diagnose(facts(torch=CPU_BUILD, host=replace(HOST, ram_available_bytes=4 * GIB), **changes))
    assert little.can_run
    assert "4B" not in little.conclusion


def test_a_driver_that_does_not_answer_stops_everything() -> None:
    found = diagnose(facts(driver_error="it does not answer", driver_fix="Restart the machine"))
    assert not found.can_run
    assert "Fix first: Restart the machine" in found.conclusion


def test_a_card_beyond_the_catalog_is_told_its_name() -> None:
    (gpu,) = diagnose(facts(card(slug="rtx-6070", catalogued=False))).gpus
    assert any("rtx-6070" in check.summary for check in gpu.checks)
