"""A directory with the configuration of a small model, with or without weights."""

import json
from pathlib import Path

from bench.weights.tiny import write_tiny_checkpoint


def checkpoint(folder: Path) -> Path:
    """The tiny checkpoint with weights and tokenizer."""
    write_tiny_checkpoint(folder / "small")
    return folder / "small"


def configuration(folder: Path, *, without: tuple[str, ...] = (), **changed: object) -> Path:
    """Its config.json alone; `without` names a nested key that is left out, `changed` keys of the top."""
    whole = json.loads((checkpoint(folder / "whole") / "config.json").read_text(encoding="utf-8"))
    table = whole
    for key in without[:-1]:
        table = table[key]
    if without:
        del table[without[-1]]
    directory = folder / "small"
    directory.mkdir(exist_ok=True)
    (directory / "config.json").write_text(json.dumps(whole | changed), encoding="utf-8")
    return directory
