"""`bench gpus`: the names that --gpu takes."""

import click

from bench.cli.completions import card_slugs
from bench.errors import UsageError
from bench.units import gib


@click.command(short_help="List or search the known graphics cards.")
@click.argument("text", required=False, shell_complete=card_slugs)
def gpus(text: str | None) -> None:
    """List the graphics cards that --gpu knows; TEXT narrows the list.

    \b
    Examples:
      bench gpus
      bench gpus 4070
    """
    from bench.hardware.catalog import cards

    wanted = (text or "").lower()
    found = [card for card in cards() if wanted in card.slug or wanted in card.nvml_name.lower()]
    if not found:
        raise UsageError(
            f"no known card matches '{text}'", hint="`bench gpus` lists all; an unknown card runs too"
        )
    for card in found:
        memory = gib(card.memory_total_bytes)
        click.echo(f"{card.slug:<28} {memory:>10}  {card.compute_capability:>5}  {card.nvml_name}")
