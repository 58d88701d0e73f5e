"""`bench infer`: one question about one file, with the engine that the measurements use."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from bench.cli.command import ModelCommand
from bench.cli.options import FILE, accept_cpu, choose_gpu, device_options, engine_option, model_options
from bench.cli.streams import echo
from bench.errors import UsageError


@click.command(cls=ModelCommand, short_help="Ask one question about one audio file.")
@click.argument("audio", metavar="AUDIO", type=FILE)
@click.option("--prompt", default="Describe this audio.", show_default=True, help="InferRequest to ask.")
@click.option(
    "--max-tokens",
    type=click.IntRange(1, 8192),
    metavar="N",
    default=256,
    show_default=True,
    help="Longest answer in tokens.",
)
@click.option(
    "--attention",
    type=click.Choice(["eager", "sdpa", "flash_attention_2"]),
    default="sdpa",
    show_default=True,
    help="Attention backend of the language model.",
)
@click.option(
    "--greedy", is_flag=True, help="Take the most likely token each time. Default: sample as upstream does."
)
@engine_option
@device_options
@model_options
def infer(*, audio: Path, weights: str | None, yes: bool, attention: str, **asked: Any) -> None:
    """Answer one question about one audio file, and print the text as it is generated.

    A quick check that the whole pipeline works. The default model is MOSS-Audio-4B-Instruct.

    \b
    Examples:
      bench infer speech.wav
      bench infer speech.wav --prompt "Transcribe this." --device cpu
      bench infer speech.wav --model tiny      untrained: meaningless text
    """
    from bench.cli.downloads import DownloadLine, confirm_download, show_note
    from bench.records.enums import Attention
    from bench.run.answer import InferRequest, answer

    if weights == "random":
        raise UsageError(
            "random weights have no tokenizer", hint="Use --model tiny to try without a download"
        )
    question = InferRequest(audio=audio, attention=Attention(attention), **asked)
    with DownloadLine() as progress:
        answer(
            question,
            choose_gpu,
            partial(confirm_download, yes),
            progress,
            _show,
            accept_cpu=accept_cpu,
            note=show_note,
        )
    click.echo()


def _show(text: str) -> None:
    """Print text of the model without control codes, which could rewrite the terminal."""
    echo(text, nl=False)
