"""`bench suites`: lists the suites."""

from typing import TYPE_CHECKING

import click

from bench.cli.command import Command
from bench.cli.options import suite_names
from bench.cli.streams import echo
from bench.units import clip_length

if TYPE_CHECKING:
    from bench.suite.expectations import Expectation
    from bench.suite.suite import Suite


@click.command(cls=Command, short_help="List the suites, or show one.")
@click.argument("name", required=False, shell_complete=suite_names)
def suites(name: str | None) -> None:
    """List the suites, or show one with its settings.

    \b
    Examples:
      bench suites
      bench suites standard
      bench suites ./mine.toml
    """
    from bench.engines.registry import find_engine
    from bench.suite.suite import find_suite, shipped_suites

    if name is not None:
        suite = find_suite(name)
        find_engine(suite.engine, f"{name}: engine")
        echo(_whole(suite))
        return
    for each in shipped_suites():
        echo(_line(find_suite(each)))


def _line(suite: "Suite") -> str:
    axes = suite.axes
    cells = len(axes.clip_seconds) * len(axes.max_tokens) * len(axes.attention)
    return f"{suite.name:<12} {cells:>3} cells  {suite.title}"


def _whole(suite: "Suite") -> str:
    settings = {
        "version": suite.version,
        "hash": suite.sha256,
        "model": suite.model,
        "profile": suite.profile,
        "dtype": suite.dtype,
        "prompt": suite.prompt,
        "sampling": "on" if suite.sampling.do_sample else "off (greedy)",
        "clips": ", ".join(clip_length(seconds) for seconds in suite.axes.clip_seconds),
        "max_tokens": ", ".join(map(str, suite.axes.max_tokens)),
        "attention": ", ".join(suite.axes.attention),
        "repeats": f"{suite.measure.repeats} to {suite.measure.max_repeats}",
    }
    stated = (("expects", _words(expectation)) for expectation in suite.expect)
    lines = [_line(suite), *(f"{name:<12} {value}" for name, value in (*settings.items(), *stated))]
    return "\n".join([*lines, *(["", suite.description] if suite.description else [])])


def _words(expectation: "Expectation") -> str:
    """Return an expectation as the suite states it: `fits = true, clip_seconds = [10.0]`."""
    import json

    content = expectation.model_dump(mode="json")
    return ", ".join(f"{name} = {json.dumps(value)}" for name, value in content.items())
