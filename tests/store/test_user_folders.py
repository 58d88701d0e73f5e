"""The user's folders, and a user who has none."""

import os
from pathlib import Path

import pytest

from bench.store.user_folders import cache_folder, config_folder


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without HOME and without an entry in the list of users, as in many containers."""
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)

    def unknown(_: int) -> None:
        raise KeyError

    monkeypatch.setattr("pwd.getpwuid", unknown)


def test_they_are_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert cache_folder() == tmp_path / "cache" / "moss-audio-bench"
    assert config_folder() == tmp_path / "config" / "moss-audio-bench"


@pytest.mark.skipif(os.name == "nt", reason="Windows asks the registry")
@pytest.mark.usefixtures("nobody")
def test_a_user_without_a_home_gets_no_folder_that_is_named_tilde() -> None:
    for folder in (cache_folder, config_folder):
        with pytest.raises(OSError, match="this user has no home folder"):
            folder()
