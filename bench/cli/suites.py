"""`bench suites`: what there is to run."""

import click

from bench.units import clip_length


@click.command(short_help="List the suites, or show one.")
@click.argument("name", required=False)
def suites(name: str | None) -> None:
    """List the suites, or show one with all its settings.

    \b
    Examples:
      bench suites
      bench suites standard
      bench suites ./mine.toml
    """
    from bench.suite import Suite, find_suite, shipped_suites

    def line(suite: Suite) -> str:
        axes = suite.axes
        cells = len(axes.clip_seconds) * len(axes.max_tokens) * len(axes.attention)
        return f"{suite.name:<12} {cells:>3} cells  {suite.title}"

    if name is None:
        for each in shipped_suites():
            click.echo(line(find_suite(each)))
        return
    suite = find_suite(name)
    click.echo(f"{line(suite)}\nversion      {suite.version}\nhash         {suite.sha256}")
    click.echo(f"model        {suite.model}")
    click.echo(f"clips        {', '.join(clip_length(seconds) for seconds in suite.axes.clip_seconds)}")
    click.echo(f"max_tokens   {', '.join(map(str, suite.axes.max_tokens))}")
    click.echo(f"attention    {', '.join(suite.axes.attention)}")
    click.echo(f"repeats      {suite.measure.repeats} to {suite.measure.max_repeats}")
    click.echo(f"\n{suite.description}" if suite.description else "", nl=bool(suite.description))
