"""Options that several commands share: their shell completion, and the parsing of comma lists."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bench.cli.streams import can_ask
from bench.engines.registry import SHIPPED
from bench.errors import UsageError
from bench.units import gib, parse_duration, parse_size

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from bench.hardware.device import Device
    from bench.run.run_spec import Plan, RunOptions

F = TypeVar("F", bound=Callable[..., Any])

FILE = click.Path(path_type=Path)
"""The type of a path that a command opens itself, with its own error."""


# --- shell completion: no GPU, no network ------------------------------------------------------------------


def suite_names(_context: click.Context, _option: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Return the shipped suites, or files if none begins like that."""
    from click.shell_completion import CompletionItem

    from bench.suite.suite import shipped_suites

    found = [CompletionItem(name) for name in shipped_suites() if name.startswith(typed)]
    return found or [CompletionItem(typed, type="file")]


def engines(_context: click.Context, _option: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Return the installed engines."""
    from click.shell_completion import CompletionItem

    from bench.engines.registry import engine_names

    return [CompletionItem(name) for name in engine_names() if name.startswith(typed)]


def card_slugs(_context: click.Context, _option: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Return the cards of the catalog, with the memory that distinguishes cards of one name."""
    from click.shell_completion import CompletionItem

    from bench.hardware.catalog import cards

    return [
        CompletionItem(card.slug, help=f"{card.nvml_name}, {gib(card.memory_total_bytes)}")
        for card in cards()
        if card.slug.startswith(typed.lower())
    ]


def device_names(context: click.Context, option: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Return `cpu` and the cards of the catalog."""
    from click.shell_completion import CompletionItem

    cpu = [CompletionItem("cpu")] if "cpu".startswith(typed) else []
    return cpu + card_slugs(context, option, typed)


def planned_devices(context: click.Context, option: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Return the devices that the command line does not name yet."""
    named = context.params.get("gpus") or ()
    return [item for item in device_names(context, option, typed) if item.value not in named]


def torch_releases(_context: click.Context, _option: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Return the installed release of torch, and the newest release with known kernels."""
    from click.shell_completion import CompletionItem

    from bench.engines.native.sdpa_rules import NEWEST_RULES
    from bench.predict.planned_system import installed_release

    found = dict.fromkeys((installed_release(), NEWEST_RULES))
    return [CompletionItem(release) for release in found if release.startswith(typed)]


# --- options -----------------------------------------------------------------------------------------------


def device_options(function: F) -> F:
    """Add `--gpu` and `--device`."""
    gpu = click.option(
        "--gpu",
        metavar="SLUG",
        shell_complete=card_slugs,
        help="NVIDIA card in this machine to use, such as rtx-4070. Default: as for --device.",
    )
    device = click.option(
        "--device",
        metavar="cpu|SLUG|UUID",
        shell_complete=device_names,
        help="Device to use. Default: the only GPU, else the CPU (asks first for a 4B or 8B model).",
    )
    return gpu(device(function))


def planned_device_options(function: F) -> F:
    """Add `--gpu` (any number), `--any-gpu`, `--headless`, `--desktop`, `--desktop-uses`, `--catalog`."""
    for option in (
        click.option(
            "--catalog",
            "catalog_only",
            is_flag=True,
            help="Use the catalog's figures also for a card in this machine: the same table everywhere. "
            "Default: the driver's figures.",
        ),
        click.option(
            "--desktop-uses",
            metavar="SIZE",
            callback=_parsed_by(parse_size),
            help="Memory that the desktop uses, such as 700MiB. Default: the range seen on other machines.",
        ),
        click.option(
            "--desktop",
            is_flag=True,
            help="Answer only for a card with a desktop on it. Default: both answers.",
        ),
        click.option(
            "--headless",
            is_flag=True,
            help="Answer only for a card without a display. Default: both answers.",
        ),
        click.option(
            "--any-gpu",
            is_flag=True,
            help="Predict for every card of the catalog, and name the smallest that is enough.",
        ),
        click.option(
            "--gpu",
            "gpus",
            multiple=True,
            metavar="SLUG|cpu",
            shell_complete=planned_devices,
            help="Card to predict, in this machine or not, or cpu; may be repeated. Default: the card in "
            "this machine.",
        ),
    ):
        function = option(function)
    return function


def system_options(function: F) -> F:
    """Add `--os` and `--torch`: the system and the release of torch that a prediction is for."""
    for option in (
        click.option(
            "--torch",
            metavar="VERSION",
            shell_complete=torch_releases,
            help="Release of torch on that system, such as 2.13. Default: the installed one, or the newest "
            "with known kernels.",
        ),
        click.option(
            "--os",
            "system",
            type=click.Choice(["linux", "windows", "wsl2"]),
            help="Operating system of the card; it decides the attention kernel and the available memory. "
            "Default: this one; on macOS linux.",
        ),
    ):
        function = option(function)
    return function


def shape_options(function: F) -> F:
    """Add `--model`, `--revision`, `--weights` for a command that uses only shapes."""
    for option in (
        click.option(
            "--weights",
            type=click.Choice(["hub", "random"]),
            help="Weights of the predicted cells; memory is the same for both. Default: hub.",
        ),
        click.option(
            "--revision",
            metavar="R",
            help="Branch, tag or commit of the model on the Hub, whose headers are read. Default: the "
            "shipped shapes.",
        ),
        click.option(
            "--model",
            metavar="REPO|DIR",
            type=click.Path(),
            help="Released model, directory with a config.json, or Hub repository. Default: the suite's.",
        ),
    ):
        function = option(function)
    return function


def model_options(function: F) -> F:
    """Add `--model`, `--revision`, `--weights`, `--yes`."""
    for option in (
        click.option(
            "--yes",
            is_flag=True,
            help="Download weights and discard unfinished runs without asking. Other questions are still "
            "asked.",
        ),
        click.option(
            "--weights",
            type=click.Choice(["hub", "random"]),
            help="hub: the released weights, downloaded if missing (10.45 GB for the 4B models). random: "
            "random weights of the same shapes, no download. Default: hub.",
        ),
        click.option(
            "--revision", metavar="R", help="Branch, tag or commit of the model on the Hub. Default: main."
        ),
        click.option(
            "--model",
            metavar="REPO|DIR",
            type=click.Path(),  # the value is a text; the shell completes it as a path
            help="Hub repository, directory, or tiny (a small untrained model, made on the spot). Default: "
            "the suite's.",
        ),
    ):
        function = option(function)
    return function


def suite_option(function: F) -> F:
    """Add `--suite`."""
    return click.option(
        "--suite",
        metavar="NAME|FILE",
        shell_complete=suite_names,
        help="Shipped suite, or a TOML file. Default: standard with --gpu, else quick on a GPU and smoke on "
        "the CPU.",
    )(function)


def engine_option(function: F) -> F:
    """Add `--engine`."""
    return click.option(
        "--engine",
        metavar="NAME",
        shell_complete=engines,
        help=f"Engine that runs the model: {', '.join(SHIPPED)}. Default: the suite's.",
    )(function)


def profile_option(function: F) -> F:
    """Add `--profile`."""
    return click.option(
        "--profile",
        type=click.Choice(["faithful", "lean"]),
        help="faithful: runs the model as upstream does. lean: gives the same output from less memory. "
        "Default: the suite's.",
    )(function)


def axis_options(function: F) -> F:
    """Add `--clip-seconds`, `--max-tokens`, `--attention`: each replaces an axis of the suite."""
    return click.option(
        "--clip-seconds",
        metavar="L",
        callback=_seconds_list,
        help="Clip lengths in seconds, such as 5,30,60. Default: the suite's.",
    )(line_options(function))


def line_options(function: F) -> F:
    """Add `--max-tokens`, `--attention`: the axes other than the length of the clip."""
    for option in (
        click.option(
            "--attention",
            metavar="L",
            callback=_attention_list,
            help="Attention backends, such as eager,sdpa,flash_attention_2. Default: the suite's.",
        ),
        click.option(
            "--max-tokens",
            metavar="L",
            callback=_int_list,
            help="Answer lengths in tokens, such as 128,512. Default: the suite's.",
        ),
    ):
        function = option(function)
    return function


def audio_option(function: F) -> F:
    """Add `--audio`."""
    return click.option(
        "--audio",
        metavar="FILE",
        type=FILE,
        help="Audio file to use (wav, flac, mp3, ogg), cut or looped to each length. Default: the shipped "
        "clip.",
    )(function)


def out_option(function: F) -> F:
    """Add `--out`."""
    return click.option(
        "--out",
        metavar="DIR",
        type=FILE,
        help="Folder for records and reports. Default: results/ and reports/.",
    )(function)


def run_options(given: dict[str, Any]) -> "RunOptions":
    """Return the options of a run from those of the command line."""
    from bench.records.enums import Profile
    from bench.run.run_spec import RunOptions

    profile = given["profile"]
    return RunOptions(**{**given, "profile": Profile(profile) if profile is not None else None})


def emulation_option(function: F) -> F:
    """Add `--emulate-vram`."""
    return click.option(
        "--emulate-vram",
        metavar="SIZE",
        callback=_parsed_by(parse_size),
        help="Limit the model to the memory of a card of this size, such as 12282MiB. Default: no limit.",
    )(function)


def time_budget_option(function: F) -> F:
    """Add `--time-budget`."""
    return click.option(
        "--time-budget",
        metavar="DURATION",
        callback=_parsed_by(parse_duration),
        help="Start only cells that should end within this time, such as 90s, 10m or 1h; stop at twice that. "
        "Default: no limit.",
    )(function)


def _parsed_by(
    parse: Callable[[str], object],
) -> Callable[[click.Context, click.Parameter, str | None], object]:
    """Return the callback of an option; `parse` reads the value, or refuses it with a ValueError."""

    def parsed(_context: click.Context, option: click.Parameter, text: str | None) -> object:
        try:
            return None if text is None else parse(text)
        except ValueError as error:
            raise UsageError(f"{option.opts[0]}: {error}") from None

    return parsed


def _seconds_list(_context: click.Context, _option: click.Parameter, text: str | None) -> object:
    from bench.suite.overrides import parse_seconds_list

    return None if text is None else parse_seconds_list(text)


def _int_list(_context: click.Context, _option: click.Parameter, text: str | None) -> object:
    from bench.suite.overrides import parse_int_list

    return None if text is None else parse_int_list(text)


def _attention_list(_context: click.Context, _option: click.Parameter, text: str | None) -> object:
    from bench.suite.overrides import parse_attention_list

    return None if text is None else parse_attention_list(text)


# --- a question --------------------------------------------------------------------------------------------


def choose_gpu(found: "tuple[Device, ...]") -> "Device":
    """Ask which of several GPUs to use.

    Raises:
        UsageError: nobody can be asked.
    """
    from bench.run.run_spec import refuse_to_choose

    listed = "".join(
        f"{number}  {gpu.slug}  {gpu.name}, {gib(gpu.free_bytes)} free, "
        f"UUID ends in {(gpu.uuid or '')[-6:]}\n"
        for number, gpu in enumerate(found, start=1)
    )
    if not can_ask(f"{listed}Which GPU"):
        return refuse_to_choose(found)
    answer: int = click.prompt("", type=click.IntRange(1, len(found)), err=True)
    return found[answer - 1]


def accept_cpu(plan: "Plan") -> "Plan":
    """Ask whether a model of full size may run on the CPU, since no card was found; return the answer's plan.

    Where nobody can be asked the plan is returned as it is, and the runner refuses it.

    Raises:
        UsageError: the answer was no.
    """
    from bench.run.cpu_consent import expectation

    if not plan.needs_cpu_consent or not can_ask(f"{expectation(plan)}. Run it there?"):
        return plan
    if not click.confirm("", default=False, err=True):
        raise UsageError("nothing was run", hint="`bench doctor` says why no card is used")
    return replace(plan, needs_cpu_consent=False)
