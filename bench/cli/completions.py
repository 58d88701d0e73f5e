"""What the shell offers at <TAB>. Pure look-ups: no GPU, no network."""

import click
from click.shell_completion import CompletionItem


def suite_names(_context: click.Context, _option: click.Parameter, typed: str) -> list[CompletionItem]:
    """The shipped suites, or files where none begins like that."""
    from bench.suite.suite import shipped_suites

    found = [CompletionItem(name) for name in shipped_suites() if name.startswith(typed)]
    return found or [CompletionItem(typed, type="file")]


def engines(_context: click.Context, _option: click.Parameter, typed: str) -> list[CompletionItem]:
    """The engines that are installed."""
    from bench.engines.registry import engine_names

    return [CompletionItem(name) for name in engine_names() if name.startswith(typed)]


def card_slugs(_context: click.Context, _option: click.Parameter, typed: str) -> list[CompletionItem]:
    """The graphics cards of the catalog, with the memory that distinguishes cards of one name."""
    from bench.hardware.catalog import cards
    from bench.units import gib

    return [
        CompletionItem(card.slug, help=f"{card.nvml_name}, {gib(card.memory_total_bytes)}")
        for card in cards()
        if card.slug.startswith(typed.lower())
    ]


def device_names(context: click.Context, option: click.Parameter, typed: str) -> list[CompletionItem]:
    """`cpu`, and the graphics cards of the catalog."""
    cpu = [CompletionItem("cpu")] if "cpu".startswith(typed) else []
    return cpu + card_slugs(context, option, typed)


def planned_devices(context: click.Context, option: click.Parameter, typed: str) -> list[CompletionItem]:
    """The same, without those that the command line names already."""
    named = context.params.get("gpus") or ()
    return [item for item in device_names(context, option, typed) if item.value not in named]
