"""The planned system: versions of torch as people write them, and the build that they name."""

import platform

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.engines.native.sdpa_rules import NEWEST_RULES, TorchBuild
from bench.errors import UsageError
from bench.hardware.system import System
from bench.predict import planned_system as module
from bench.predict.planned_system import notes, planned_system, torch_build
from bench.records.prediction import PlannedSystem


@pytest.mark.parametrize(
    ("written", "release"),
    [
        ("2.13", "2.13"),
        ("2.13.0", "2.13"),
        ("2.14.1+cu130", "2.14"),
        ("2.14.0a0+git1234abc", "2.14"),
        ("2.15.0.dev20261101+cu130", "2.15"),
        ("3.0", "3.0"),
    ],
)
def test_a_version_is_read_as_its_release(written: str, release: str) -> None:
    assert planned_system("linux", written).torch == release


@pytest.mark.parametrize("written", ["2", "two", "v2.13", "2.13 ", "2,13", "2.13.0.1.2", "٢.١٣", "9" * 5000])
def test_nonsense_is_a_usage_error_with_a_hint(written: str) -> None:
    with pytest.raises(UsageError, match="is not a version of torch") as refused:
        planned_system("linux", written)
    assert refused.value.hint == "Give a release, such as 2.13"


def test_a_release_that_bench_does_not_support_is_refused() -> None:
    with pytest.raises(UsageError, match=r"2\.8\.0 is too old") as refused:
        planned_system("linux", "2.8.0")
    assert refused.value.hint == "bench needs torch 2.9 or newer"
    assert planned_system("linux", "2.9.0").torch == "2.9"


@given(
    st.integers(0, 9999),
    st.integers(0, 9999),
    st.from_regex(r"(\.[0-9]{1,3})?(\+cu[0-9]{3})?", fullmatch=True),
)
def test_any_release_is_refused_or_names_its_own_build(major: int, minor: int, rest: str) -> None:
    try:
        build = torch_build(planned_system("windows", f"{major}.{minor}{rest}"))
    except UsageError:
        assert (major, minor) < (2, 9)
    else:
        assert build == TorchBuild("windows", (major, minor))


def test_wsl2_runs_the_builds_of_linux() -> None:
    assert torch_build(PlannedSystem(os="wsl2", torch="2.13")) == TorchBuild("linux", (2, 13))


@pytest.mark.parametrize(
    ("system", "os"),
    [(System(windows=True), "windows"), (System(wsl2=True), "wsl2"), (System(), "linux")],
)
def test_the_default_is_this_machine(monkeypatch: pytest.MonkeyPatch, system: System, os: str) -> None:
    monkeypatch.setattr(module, "this_system", lambda: system)
    assert planned_system().os == os
    assert planned_system("windows").os == "windows"


def test_macos_is_planned_as_linux_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    planned = planned_system()
    assert planned.os == "linux"
    assert notes(planned, is_given=False) == ("torch for macOS has no CUDA: the plan is for Linux",)
    assert notes(planned, is_given=True) == ()


def test_without_torch_the_newest_known_rules_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "version_of", lambda _: None)
    assert planned_system("linux").torch == NEWEST_RULES
    monkeypatch.setattr(module, "version_of", lambda _: "2.10.0a0+git1")
    assert planned_system("linux").torch == "2.10"
