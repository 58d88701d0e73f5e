"""`bench infer`: one question about one file, with the engine that the measurements use."""

from functools import partial
from typing import Any

import click

from bench.cli.options import device_options, existing_file, model_options
from bench.errors import UsageError


@click.command(short_help="Ask one question about one audio file.")
@click.argument("audio", metavar="AUDIO")
@click.option("--prompt", default="Describe this audio.", show_default=True, help="The question.")
@click.option(
    "--max-tokens", type=click.IntRange(1, 8192), default=256, show_default=True, help="Longest answer."
)
@click.option("--attention", type=click.Choice(["eager", "sdpa", "flash_attention_2"]), default="sdpa")
@click.option("--greedy", is_flag=True, help="Take the likeliest token instead of sampling as upstream does.")
@device_options
@model_options
def infer(**given: Any) -> None:
    """Answer one question about one audio file, as the text is generated: does the pipeline work at all?

    \b
    Examples:
      bench infer speech.wav
      bench infer speech.wav --prompt "Transcribe this." --device cpu
      bench infer speech.wav --model tiny      (seconds, and nonsense: a model without training)
    """
    from bench.cli.downloads import DownloadLine, confirm
    from bench.cli.run_command import _choose
    from bench.run.answer import Question, answer

    path = existing_file(given["audio"], "AUDIO")
    if given["weights"] == "random":
        raise UsageError(
            "random weights have no tokenizer", hint="Use --model tiny for a try without a download"
        )
    if path is None:
        raise UsageError("no audio file was named")
    question = Question(
        audio=path,
        prompt=given["prompt"],
        max_tokens=given["max_tokens"],
        attention=given["attention"],
        greedy=given["greedy"],
        gpu=given["gpu"],
        device=given["device"],
        model=given["model"],
        revision=given["revision"],
    )
    answer(question, _choose, partial(confirm, given["yes"]), DownloadLine(), partial(click.echo, nl=False))
    click.echo()
