"""Questions, with somebody there to answer and with nobody."""

import io
import os
import sys
from pathlib import Path

import pytest

from bench.cli.downloads import confirm_download
from bench.cli.options import accept_cpu, choose_gpu
from bench.cli.streams import has_person
from bench.errors import UsageError
from bench.hardware import device as devices
from bench.hardware import nvml
from bench.hardware.device import Device
from bench.hardware.system import System
from bench.run.run_spec import Plan, RunOptions, make_plan, refuse_to_choose
from bench.units import GIB
from tests.run.processes import NEEDS_TERMINAL

CARDS = tuple(
    Device(
        kind="cuda",
        slug=slug,
        name=slug.upper(),
        memory_total_bytes=16 * GIB,
        free_bytes=15 * GIB,
        uuid=f"GPU-0000-{number:06}",
    )
    for number, slug in enumerate(("tesla-t4", "rtx-4070"), start=1)
)


class Terminal(io.StringIO):
    """A person who has typed already."""

    def isatty(self) -> bool:
        return True


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(text))


def test_of_several_cards_the_numbered_one_is_chosen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, "3\n2\n")
    assert choose_gpu(CARDS) is CARDS[1]
    asked = capsys.readouterr()
    assert asked.out == ""
    assert "2  rtx-4070  RTX-4070, 15.00 GiB free, UUID ends in 000002" in asked.err
    assert "3 is not in the range" in asked.err


def test_where_nobody_can_be_asked_the_cards_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("1\n"))
    with pytest.raises(UsageError, match=r"2 GPUs: tesla-t4 \(GPU-0000-000001\), rtx-4070"):
        choose_gpu(CARDS)


@NEEDS_TERMINAL
def test_the_null_device_of_windows_is_nobody_although_it_claims_to_be_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = os.openpty()
    with os.fdopen(ours, "r+b", buffering=0), os.fdopen(theirs, encoding="utf-8") as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        assert has_person()
        monkeypatch.setattr("bench.cli.streams._NULL_IS_A_TERMINAL", True)
        assert not has_person()


@pytest.mark.parametrize("text", ["y\n", "\n"])
def test_a_download_that_is_agreed_to_goes_on(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    typed(monkeypatch, text)
    confirm_download(False, "some-owner/moss", GIB, Path("hub"))  # a refusal raises: see the next test
    assert sys.stdin.read() == ""  # the answer was read


def test_a_download_that_is_refused_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "n\n")
    with pytest.raises(UsageError, match="nothing was downloaded"):
        confirm_download(False, "some-owner/moss", GIB, Path("hub"))


def test_a_build_server_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "y\n")
    with pytest.raises(UsageError, match="some-owner/moss has to be downloaded"):
        confirm_download(False, "some-owner/moss", GIB, Path("hub"), may_ask=False)


@pytest.fixture
def on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> Plan:
    """A plan of the 4B model on a machine without a card, whose options name no device."""
    monkeypatch.setattr(nvml, "gpus", lambda: ())
    monkeypatch.setattr(devices, "this_system", System)
    return make_plan(RunOptions(suite="quick", weights="random"), refuse_to_choose)


def test_a_long_run_on_the_cpu_is_asked_about_with_its_time(
    on_the_cpu: Plan, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, "y\n")
    assert not accept_cpu(on_the_cpu).needs_cpu_consent
    question = capsys.readouterr().err
    assert "no graphics card was found: MOSS-Audio-4B-Instruct would run on the CPU (about " in question
    assert "Run it there? [y/N]" in question


@pytest.mark.parametrize("text", ["n\n", "\n"])
def test_a_long_run_on_the_cpu_needs_a_yes(
    on_the_cpu: Plan, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    typed(monkeypatch, text)
    with pytest.raises(UsageError, match="nothing was run"):
        accept_cpu(on_the_cpu)


def test_where_nobody_can_be_asked_the_cpu_stays_unchosen(
    on_the_cpu: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert accept_cpu(on_the_cpu).needs_cpu_consent
