"""Base class of commands: refuses empty text and zero bytes, and has a help text under `python -OO`."""

import inspect
import os
from collections.abc import Callable, Iterable
from typing import Any

import click


class _Documented(click.Command):
    """A command whose help is its docstring, under `python -OO` too."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the docstring of the command, from its source where Python has dropped it."""
        if self.help is None and self.callback is not None:
            self.help = _docstring_in_source(self.callback)
        super().format_help_text(ctx, formatter)


class CommandGroup(_Documented, click.Group):
    """Commands under one name, such as `bench site`."""


class Command(_Documented):
    """A command whose options and arguments refuse an empty text, which a path would make the current folder.

    Zero bytes and halves of letters are refused as well: no path, name or number contains them.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse what no parameter takes, then parse."""
        given, _, _ = self.make_parser(ctx).parse_args(list(args))
        for parameter in self.get_params(ctx):
            for text in _texts(given.get(str(parameter.name))):
                problem = _problem(text)
                if problem is not None:
                    raise click.BadParameter(f"{problem} cannot be used", ctx, parameter)
        return super().parse_args(ctx, args)


class ModelCommand(Command):
    """A command that needs the libraries which run the model."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command where those libraries can be imported.

        Raises:
            MachineError: docstrings are removed.
        """
        from bench.doctor.installed import prepare_imports

        prepare_imports()
        return super().invoke(ctx)


def _texts(value: object) -> Iterable[str]:
    """Return the texts in a parsed value; none for a flag or an option that was not given."""
    values = value if isinstance(value, list | tuple) else (value,)
    return (each for each in values if isinstance(each, str))


def _problem(text: str) -> str | None:
    if not text:
        return "an empty text"
    if "\0" in text:
        return "a zero byte"
    try:
        os.fsencode(text)  # bytes that are no text in this locale stay possible: file names contain them
    except UnicodeEncodeError:
        return "half a letter (a lone surrogate)"
    return None


def _docstring_in_source(function: Callable[..., Any]) -> str | None:
    import ast
    import textwrap

    try:
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    except (OSError, ValueError, SyntaxError):  # installed without its sources
        return None
    return ast.get_docstring(definition) if isinstance(definition, ast.FunctionDef) else None
