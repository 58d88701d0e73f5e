"""Which records belong together, and what their files are called."""

from bench.check.group import GroupKey, stems


def key(repo: str | None = "OpenMOSS-Team/M", *, config: str = "1", played: int | None = None) -> GroupKey:
    return GroupKey(model="M", slug="card", repo=repo, config_sha256=config, emulated_bytes=played)


def test_one_group_of_a_folder_is_called_check() -> None:
    assert stems([key()]) == {key(): "check"}
    assert stems([key(None)]) == {key(None): "check"}


def test_a_played_card_is_named_after_its_memory() -> None:
    assert stems([key(), key(played=12_878_610_432)]) == {
        key(): "check",
        key(played=12_878_610_432): "emulated-12282MiB.check",
    }


def test_published_weights_keep_the_name_and_others_get_a_hash() -> None:
    named = stems([key(), key(None), key("somebody/M")])
    assert named[key()] == "check"
    assert len(set(named.values())) == 3
    assert all(name.endswith(".check") for group, name in named.items() if group != key())


def test_two_configurations_of_published_weights_both_get_one() -> None:
    named = stems([key(config="1"), key(config="2")])
    assert "check" not in named.values()
    assert stems([key(config="2"), key(config="1")]) == named
