"""The configuration and shapes of a model: shipped, from a directory, or from the headers of a repository.

Imports no torch, and reads only headers of weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bench import shipped
from bench.arithmetic.shapes import MAX_SIZE, shapes_of
from bench.errors import UsageError, WeightsError
from bench.records.enums import WeightMode
from bench.run.run_spec import Origin, is_released
from bench.store.untrusted import kind_of
from bench.weights.checkpoint import config_sha256, read_json, read_tensors, require_moss_audio
from bench.weights.files import SMALL, is_weights

CONFIG: Final = "config.json"
_VOCABULARIES: Final = ("tokenizer.json", "vocab.json")


@dataclass(frozen=True)
class Source:
    """A model before it is traced.

    `tensors` are the shapes in the headers, by name and in the order of the files; None without headers.
    `tokenizer` is a directory with a tokenizer, or None. `note`: a line for the user, or None.
    """

    origin: Origin
    config: Mapping[str, object]
    config_sha256: str
    max_positions: int
    commit: str | None = None
    tensors: Mapping[str, tuple[int, ...]] | None = None
    tokenizer: Path | None = None
    note: str | None = None


def source_of(origin: Origin) -> Source:
    """Return the source of a model.

    Released models need no network: their configuration is shipped. For another revision, and for every other
    repository, configuration and headers of the weights are read from the Hub.

    Raises:
        WeightsError: no config.json, another model, damaged headers, or the Hub does not deliver them.
        UsageError: the configuration lacks something, or the file in a directory is not one.
    """
    if origin.directory is not None:
        return _of_directory(origin, origin.directory)
    if origin.weight_mode is WeightMode.TINY:
        return _tiny(origin)
    is_shipped = is_released(origin.name) and origin.revision is None
    if origin.repo is not None and not is_shipped:
        return _of_repository(origin, origin.repo)
    return _source(origin, shipped.data("models", f"{origin.name}.json"))


def _of_directory(origin: Origin, directory: Path) -> Source:
    if kind_of(directory / CONFIG) is not None:
        _require_json(directory / CONFIG)
    require_moss_audio(directory)
    has_weights = any(is_weights(path.name) for path in directory.iterdir())
    tensors = {name: entry.shape for name, entry in read_tensors(directory).items()} if has_weights else None
    has_tokenizer = any((directory / name).is_file() for name in _VOCABULARIES)
    tokenizer = directory if has_tokenizer and (directory / "processor_config.json").is_file() else None
    if tokenizer is not None:
        _require_sound(directory)
    return _source(origin, directory / CONFIG, tensors=tensors, tokenizer=tokenizer)


def _require_sound(directory: Path) -> None:
    """Raise a WeightsError for a file next to the weights that is not what its name says."""
    for path in sorted(directory / name for name in SMALL):
        if path.suffix == ".json" and kind_of(path) is not None:
            read_json(path)


def _require_json(config_file: Path) -> None:
    """Raise a UsageError for a named file that is not a configuration: a bad file, not a bad machine."""
    try:
        read_json(config_file)
    except WeightsError as error:
        raise UsageError(error.message, hint=error.hint) from error


def _of_repository(origin: Origin, repo: str) -> Source:
    from bench.weights.hub_settings import set_aside

    with set_aside() as fault:
        from bench.weights.headers import remote_model

        found = remote_model(repo, origin.revision, fault=fault)
    return _source(origin, found.config_file, commit=found.commit, tensors=found.tensors, note=found.note)


def _tiny(origin: Origin) -> Source:
    """Return the source of the tiny checkpoint, made where `bench run` makes it."""
    from bench.run.fetch import tiny_directory
    from bench.weights.tiny import write_tiny_checkpoint

    notes: list[str] = []
    directory = tiny_directory(notes.append)
    write_tiny_checkpoint(directory)
    return replace(_of_directory(origin, directory), note=notes[0] if notes else None)


def _source(
    origin: Origin,
    config_file: Path,
    *,
    commit: str | None = None,
    tensors: Mapping[str, tuple[int, ...]] | None = None,
    tokenizer: Path | None = None,
    note: str | None = None,
) -> Source:
    config = read_json(config_file)
    shapes_of(config)
    return Source(
        origin=origin,
        config=config,
        config_sha256=config_sha256(config_file),
        max_positions=_max_positions(config),
        commit=commit,
        tensors=tensors,
        tokenizer=tokenizer,
        note=note,
    )


def _max_positions(config: Mapping[str, object]) -> int:
    """Return the length of the model's context; transformers would use a default where it is missing.

    Bounded, because the search for the longest clip counts the positions of clips of that length.
    """
    language = config.get("language_config")
    stated = language.get("max_position_embeddings") if isinstance(language, dict) else None
    if type(stated) is not int or not 1 <= stated <= MAX_SIZE:
        raise UsageError(
            "This is not a configuration of MOSS-Audio: language_config.max_position_embeddings: "
            + ("Field required" if stated is None else f"a whole number from 1 to {MAX_SIZE} is needed"),
            hint="Use the config.json of a released model",
        )
    return stated
