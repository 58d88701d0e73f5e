"""Engines by name."""

from pathlib import Path

import pytest

from bench.engines.interface import EngineSpec
from bench.engines.registry import SHIPPED, engine_names, find_engine
from bench.errors import BenchError, UsageError
from tests.engines import stand_in


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_engine_is_one(name: str) -> None:
    assert isinstance(find_engine(name), EngineSpec)
    assert name in engine_names()


def test_an_installed_package_adds_an_engine_and_replaces_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in.announce(tmp_path, stand_in.NAME, "native")
    monkeypatch.syspath_prepend(tmp_path)
    assert engine_names() == ("native", stand_in.NAME)
    assert find_engine(stand_in.NAME) is stand_in.SPEC
    assert find_engine("native") is not stand_in.SPEC


def test_something_else_that_is_announced_as_an_engine_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in.announce(tmp_path, "wrong", value="tests.engines.stand_in:NAME")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BenchError, match="is not an engine"):
        find_engine("wrong")


def test_an_unknown_name_is_a_usage_error_that_lists_the_known_ones() -> None:
    with pytest.raises(UsageError) as raised:
        find_engine("nothing")
    assert raised.value.hint == "Choose from native"
