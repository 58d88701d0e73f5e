"""`bench gpus`."""

from tests.cli.conftest import Say


def test_the_list_is_narrowed_by_slug_and_by_name(say: Say) -> None:
    by_slug, by_name = say("gpus", "4070"), say("gpus", "GeForce RTX 4070")
    assert "rtx-4070 " in by_slug.out
    assert "11.99 GiB" in by_slug.out
    assert "4090" not in by_slug.out
    assert set(by_name.out.splitlines()) <= set(by_slug.out.splitlines()) < set(say("gpus").out.splitlines())


def test_no_match_says_what_to_do(say: Say) -> None:
    said = say("gpus", "nosuch")
    assert said.code == 2
    assert "no known card matches 'nosuch'. `bench gpus` lists all" in said.line()
