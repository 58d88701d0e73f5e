"""The command `bench`: its subcommands, and the one place where errors become lines and exit codes."""

import errno
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import click

import bench
from bench.cli import (
    compare,
    doctor,
    frontier,
    gpus,
    infer,
    plan,
    report,
    run_command,
    site,
    submit,
    suites,
    validate,
)
from bench.cli.streams import lost_output
from bench.errors import BenchError, ExitCode, PackageError
from bench.run.signals import STOP_SIGNALS, StopRequest, signals_to
from bench.store.disk import FULL
from bench.text import error_line

_EPILOG = """\b
Examples:
  bench plan --gpu rtx-4070        what fits on that card, without the card
  bench run                        the default suite on this machine
  bench run --gpu rtx-4070         the standard suite on that card
  bench run --suite quick --weights random   no download of 10 GB
  bench frontier --gpu rtx-4070    the longest clip that fits
  bench report results/            a page for every model on every card
  bench compare old.json new.json  the changes, with their evidence
  bench validate results/          whether records can be believed
  bench submit my-record.json --to git   signed, on a branch of a clone

\b
Exit codes: 0 done, 1 gate not met, 2 wrong usage, 3 this machine cannot,
4 cells failed, 70 bug in bench, 129 terminal closed, 130 interrupted,
143 terminated.

\b
Shell completion (or zsh_source, fish_source):
  eval "$(_BENCH_COMPLETE=bash_source bench)"
"""

_LIMITS = {
    errno.EMFILE: "Raise the limit of open files (ulimit -n)",
    errno.ENFILE: "Close programs: all of them together have too many files open",
    errno.EAGAIN: "Raise the limit of processes (ulimit -u)",
    errno.ENOMEM: "Close programs, or raise the limit of memory (ulimit -v)",
}
_WRITES_FILES = {"run", "frontier", "report", "site"}


@click.group(
    invoke_without_command=True,
    help="Find out whether MOSS-Audio runs on a graphics card: up to which clip length, how fast, and with "
    "how much VRAM.",
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(bench.__version__, prog_name="bench")
@click.option("--debug", is_flag=True, help="Show the traceback of an error. Default: one line.")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Print the help where no command is given."""
    context.obj = debug
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in (
    run_command.run,
    plan.plan,
    frontier.frontier,
    infer.infer,
    report.report,
    compare.compare,
    validate.validate,
    submit.submit,
    site.site,
    suites.suites,
    gpus.gpus,
    doctor.doctor,
):
    cli.add_command(command)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code. Without --debug no traceback is shown."""
    debug = "--debug" in arguments
    # --debug is an option of the group, also when it follows the command.
    arguments = (["--debug"] if debug else []) + [word for word in arguments if word != "--debug"]
    with signals_to(_interrupt):
        code = _call(lambda: _invoke(arguments), debug)
    sys.stdout.flush()
    reason = lost_output(sys.stdout)
    if reason is None:
        return code
    _say(f"the output cannot be written ({reason}). Free space", ExitCode.MACHINE)
    return code if code or _result_is_in_files(arguments) else ExitCode.MACHINE


def _invoke(arguments: list[str]) -> int:
    code = cli.main(arguments, prog_name="bench", standalone_mode=False)
    return code if isinstance(code, int) else ExitCode.DONE


def _result_is_in_files(arguments: list[str]) -> bool:
    """Whether the command writes files, which hold all that it prints."""
    command = next((word for word in arguments if not word.startswith("-")), "")
    return "--dry-run" not in arguments and (command in _WRITES_FILES or "--interleave" in arguments)


class _Interrupted(BaseException):
    """A signal other than Ctrl-C asks this process to stop."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"signal {signal_number}")
        self.signal_number = signal_number


def _interrupt(request: StopRequest) -> None:
    """Raise what ends the command. A terminal that closes can send several signals: the first one counts."""
    if request.signal_number == signal.SIGINT:
        raise KeyboardInterrupt
    for number in set(STOP_SIGNALS) - {signal.SIGINT}:
        signal.signal(number, signal.SIG_IGN)
    raise _Interrupted(request.signal_number)


def _call(command: Callable[[], int], debug: bool) -> int:
    try:
        return command()
    except BenchError as error:
        if debug:
            _print_traceback()
        return _refuse(error)
    except (click.Abort, KeyboardInterrupt):
        return _say("interrupted", ExitCode.INTERRUPTED)
    except _Interrupted as error:
        return _say("interrupted", 128 + error.signal_number)
    except click.ClickException as error:
        return _say(_one_line(error), ExitCode.USAGE)
    except Exception as error:  # noqa: BLE001 - the outermost frame: whatever is left is a bug of ours
        if debug:
            _print_traceback()
        if isinstance(error, OSError) and error.errno in FULL:
            return _say(f"the output cannot be written ({error.strerror}). Free space", ExitCode.MACHINE)
        if (limit := _limit_reached(error)) is not None:
            return _say(limit, ExitCode.MACHINE)
        from bench.packages import import_fault

        if (fault := import_fault(error)) is not None:
            from bench.doctor.installed import lacking

            missing = lacking([fault])
            return _refuse(missing or PackageError(str(fault), hint=f"Fix it: {fault.command}"))
        if isinstance(error, FileNotFoundError) and _is_current_folder_gone():
            return _say("the current folder no longer exists. Change to another one", ExitCode.MACHINE)
        if isinstance(error, OSError) and error.filename is not None:  # refused by the system, not by a bug
            return _say(f"{os.fsdecode(error.filename)}: {error.strerror}", ExitCode.MACHINE)
        return _say(f"a bug in bench ({type(error).__name__}); {_kept_traceback()}", ExitCode.BUG)


def _refuse(error: BenchError) -> int:
    """Print an error as one line, and below it the commands that fix it; return its code."""
    commands = error.commands if isinstance(error, PackageError) else ()
    if not commands:
        return _say(str(error), error.exit_code)
    _say(f"{error.message}. {error.hint}:", error.exit_code)
    for command in commands:
        click.echo(f"  {error_line(command)}", err=True)
    return error.exit_code


def _limit_reached(error: Exception) -> str | None:
    """Return the sentence for a limit of this system that an error shows; None if it shows none."""
    if isinstance(error, MemoryError):
        return "this process gets no more memory. Close programs, or raise its limit (ulimit -v)"
    number = error.errno or 0 if isinstance(error, OSError) else 0
    return f"{os.strerror(number)}. {_LIMITS[number]}" if number in _LIMITS else None


def _is_current_folder_gone() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _one_line(error: click.ClickException) -> str:
    message = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if isinstance(context, click.Context) else "bench"
    stop = "" if message.endswith("?") else "."
    return f"{message}{stop} `{path} --help` shows what there is"


def _say(message: str, code: int) -> int:
    """Print an error as one line, without the control characters that a name may contain; return the code."""
    click.echo(f"bench: {error_line(message)}", err=True)
    return code


def _print_traceback() -> None:
    import traceback

    traceback.print_exc()


def _kept_traceback() -> str:
    """Write the traceback to a file, without folders, names and secrets: strangers will read it."""
    import platform
    import tempfile
    import traceback

    from bench.store.scrub import scrub

    head = f"bench {bench.__version__}, Python {platform.python_version()}, {platform.platform()}\n"
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="bench-bug-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(head + scrub(traceback.format_exc()))
    except OSError:  # a full disk may be the cause
        return "run it again with --debug for the details"
    return f"details are in {file.name}"
