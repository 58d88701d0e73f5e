"""Every option and argument of every command, with values of every kind."""

from collections.abc import Iterator
from typing import Final

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.cli.app import cli
from tests.fuzz.harness import EXAMPLES, PATHS, fuzzed, make_zoo, place, said


def leaves(group: click.Group, *before: str) -> Iterator[tuple[str, click.Command]]:
    """Every command with its whole name, such as `site build`."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from leaves(command, *before, name)
        else:
            yield " ".join((*before, name)), command


COMMANDS: Final = dict(leaves(cli))
DRY: Final = {"run": ["--dry-run", "--device", "cpu"], "frontier": ["--dry-run", "--device", "cpu"]}
"""What keeps a command from work that is none of these tests'."""

NUMBERS: Final = (
    *("0", "1", "-1", "1.5", "nan", "inf", "-inf", "1e400", "1e-400", "9" * 20, "9" * 5000, "0x10", "1_0"),
    *("١", "½", "²", " 1 ", "+1", "1,2", ",", "1,", "5,,6", ",".join(["1"] * 2000), "1e9", "true", "None"),
)
SIZES: Final = ("12GiB", "0B", "1e3GiB", "900000TiB", "9" * 20 + "TiB", "0.0000001B", "12 GB", "-1GiB", "GiB")
DURATIONS: Final = ("90s", "10m", "1h", "0s", "-1s", "1e400h", "9" * 400 + "h", "1d", "s", "1h30m")
NAMES: Final = (
    *("smoke", "quick", "standard", "cpu", "tiny", "rtx-4070", "RTX 4070", "4070", "GPU-6c8c21d6"),
    *("MOSS-Audio-4B-Instruct", "OpenMOSS-Team/MOSS-Audio-4B-Instruct", "a/b", "a/b/c", "../..", "native"),
    *("sdpa", "eager,sdpa", "flash_attention_2", "latency_s:+5%", "latency_s:+0%", "decode_tokens_per_s:-5%"),
    *("latency_s:+99999%", "json", "html,json,md,csv", "table", "hub", "random", "main", "refs/pr/1"),
)
TEXTS: Final = st.text(max_size=30) | st.sampled_from(
    [
        "\x1b]0;x\x07",
        "\x9b31m",
        "\u202e",
        "\ud800",
        "\u2028",
        "%s%n{}",
        "[bold]",
        "$(true)",
        "é",
        "\U0001f600",
    ]
)
VALUES: Final = st.sampled_from(PATHS) | st.sampled_from([*NUMBERS, *SIZES, *DURATIONS, *NAMES]) | TEXTS


def parameters(command: str) -> Iterator[click.Parameter]:
    """The parameters of a command, in the order of its definition; --help ends everything."""
    return (each for each in COMMANDS[command].params if each.name != "help")


def words_of(parameter: click.Parameter, value: str) -> list[str]:
    """The words that give a parameter a value: one word for an option, so that no value becomes another."""
    if isinstance(parameter, click.Option):
        option = parameter.opts[0]
        return [option] if parameter.is_flag else [f"{option}={value}"]
    return [value]


@st.composite
def command_lines(draw: st.DrawFn, command: str) -> list[str]:
    """A few options with any values; arguments after `--`, so that none becomes an option."""
    chosen = draw(st.lists(st.sampled_from(list(parameters(command))), max_size=4))
    arguments = [each for each in parameters(command) if isinstance(each, click.Argument)]
    options = [each for each in chosen if isinstance(each, click.Option)]
    words = [word for option in options for word in words_of(option, draw(VALUES))]
    values = [draw(VALUES) for _ in arguments for _ in range(draw(st.integers(0, 2)))]
    return [*command.split(), *DRY.get(command, []), *words, *(["--", *values] if values else [])]


@pytest.fixture(autouse=True)
def nothing_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A prediction takes seconds, and a server never ends; neither sees anything of the text of an option."""

    def refuse(*_: object, **_named: object) -> None:
        from bench.errors import MachineError

        raise MachineError("nothing is predicted or served here")

    monkeypatch.setattr("bench.predict.planner.Planner.__init__", refuse)
    monkeypatch.setattr("bench.receiver.http.server.serve_until_stopped", refuse)
    monkeypatch.setattr("bench.receiver.backup._WAIT_S", 0.1)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_parameter_with_each_path(command: str) -> None:
    """In `make test` each path for some parameter: every command has more parameters than are skipped."""
    with place() as folder:
        make_zoo(folder)
        for number, parameter in enumerate(parameters(command)):
            for value in PATHS[0 if EXAMPLES else number % 4 :: 1 if EXAMPLES else 4]:
                if not (isinstance(parameter, click.Option) and parameter.is_flag):
                    said(*command.split(), *DRY.get(command, []), *words_of(parameter, value))


@pytest.mark.parametrize("command", COMMANDS)
def test_any_command_line(command: str) -> None:
    with place() as folder:
        make_zoo(folder)

        @fuzzed(25)
        @given(command_lines(command))
        def check(words: list[str]) -> None:
            said(*words)

        check()
