"""The page on contributing: its commands exist."""

import shlex

import click
import pytest

from bench.cli.app import cli
from bench.site.pages.contribute import guides, render

ORIGIN = "https://results.example.org"
COMMANDS, TO_SITE = (
    sorted({command for guide in guides(receiver) for step in guide.steps for command in step.commands})
    for receiver in (None, ORIGIN)
)


def parsed(words: list[str]) -> None:
    """Parse the words of a command of bench, without running it.

    Raises:
        click.UsageError: there is no such command, or option.
    """
    group = click.Context(cli, info_name="bench")
    command = cli.get_command(group, words[0])
    assert command is not None, words
    command.make_context(words[0], words[1:], parent=group)


@pytest.mark.parametrize("line", sorted({line for line in COMMANDS + TO_SITE if "bench " in line}))
def test_every_command_of_bench_can_be_typed(line: str) -> None:
    _program, _, rest = line.partition("bench ")
    parsed(shlex.split(rest))


def test_every_system_has_every_step_and_installs_torch_first() -> None:
    first = [step.title for step in guides()[0].steps]
    for guide in guides():
        assert [step.title for step in guide.steps] == first
        make, torch, bench = guide.steps[0].commands
        assert "venv" in make
        assert "torch==" in torch
        assert "https://download.pytorch.org/whl/" in torch
        assert '".[run]"' in bench


def test_windows_runs_lean_and_says_that_nobody_tried_it() -> None:
    (windows,) = (guide for guide in guides() if guide.name == "Windows")
    assert all(
        "--profile lean" in line for step in windows.steps for line in step.commands if " run " in line
    )
    assert "Nobody has run it on Windows yet" in windows.note


def test_the_page_says_what_it_costs_and_what_is_never_sent() -> None:
    page = render()
    assert "10.45 GB (9.73 GiB) of weights" in page
    for word in ("host name", "serial numbers", "tokens", "CC0-1.0", "e-mail"):
        assert word in page
    for line in COMMANDS:
        assert line.replace('"', "&#34;") in page


def test_a_static_site_sends_to_git_and_has_no_form() -> None:
    page = render()
    assert "submit RECORD --to git" in page
    for absent in ("<form", "<script", "connect-src", "--to https"):
        assert absent not in page


def test_a_site_that_receives_names_itself_and_has_a_form_for_its_own_scripts() -> None:
    page = render(ORIGIN)
    assert f"submit RECORD --to {ORIGIN}" in page
    assert "--to git" not in page
    assert "connect-src 'self'" in page
    assert 'data-api="../api/submissions"' in page
    for line in TO_SITE:
        assert line.replace('"', "&#34;") in page
    for words in ("a person looks at it first", "send nothing but the bundle that you choose"):
        assert words in page
