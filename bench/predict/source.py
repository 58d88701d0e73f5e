"""Where the shapes of a planned model are from: shipped, a directory, or the headers of a repository.

Nothing here imports torch, and of weights only headers are read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import shipped
from bench.arithmetic.shapes import MAX_SIZE, shapes_of
from bench.errors import UsageError, WeightsError
from bench.records.enums import WeightMode
from bench.run.run_spec import Origin, is_released
from bench.store.canonical import parse, sha256_of
from bench.weights.checkpoint import read_json, read_tensors, require_moss_audio
from bench.weights.files import is_weights

CONFIG: Final = "config.json"
_VOCABULARIES: Final = ("tokenizer.json", "vocab.json")


@dataclass(frozen=True)
class Source:
    """What is known of a model before it is traced.

    `tensors` are the shapes that headers state, by name and in the order of the files; None where there are
    no headers. `tokenizer` is a directory that holds one, None where there is none.
    """

    origin: Origin
    config: Mapping[str, object]
    config_sha256: str
    max_positions: int
    commit: str | None = None
    tensors: Mapping[str, tuple[int, ...]] | None = None
    tokenizer: Path | None = None


def source_of(origin: Origin) -> Source:
    """Look at what a plan is for.

    Released models need no network: their configuration is shipped. Another revision of one, and every other
    repository, is asked for its configuration and the headers of its weights.

    Raises:
        WeightsError: no config.json, another model, damaged headers, or the Hub does not hand them out.
        UsageError: the configuration lacks something, or the file in a directory is none.
    """
    if origin.directory is not None:
        return _of_directory(origin, origin.directory)
    if origin.weight_mode is WeightMode.TINY:
        return _of_directory(origin, _tiny())
    is_shipped = is_released(origin.name) and origin.revision is None
    if origin.repo is not None and not is_shipped:
        return _of_repository(origin, origin.repo)
    return _source(origin, shipped.data("models", f"{origin.name}.json"))


def _of_directory(origin: Origin, directory: Path) -> Source:
    if (directory / CONFIG).is_file():
        _sound(directory / CONFIG)
    require_moss_audio(directory)
    has_weights = any(is_weights(path.name) for path in directory.iterdir())
    tensors = {name: entry.shape for name, entry in read_tensors(directory).items()} if has_weights else None
    has_tokenizer = any((directory / name).is_file() for name in _VOCABULARIES)
    tokenizer = directory if has_tokenizer and (directory / "processor_config.json").is_file() else None
    return _source(origin, directory / CONFIG, tensors=tensors, tokenizer=tokenizer)


def _sound(config_file: Path) -> None:
    """A file that a person named and that is no configuration at all is a bad file, not a bad machine."""
    try:
        read_json(config_file)
    except WeightsError as error:
        raise UsageError(error.message, hint=error.hint) from error


def _of_repository(origin: Origin, repo: str) -> Source:
    from bench.weights.headers import remote_model

    found = remote_model(repo, origin.revision)
    return _source(origin, found.config_file, commit=found.commit, tensors=found.tensors)


def _tiny() -> Path:
    """The tiny checkpoint, made where `bench run` would make it."""
    from bench.run.fetch import tiny_directory
    from bench.weights.tiny import write_tiny_checkpoint

    write_tiny_checkpoint(tiny_directory())
    return tiny_directory()


def _source(
    origin: Origin,
    config_file: Path,
    *,
    commit: str | None = None,
    tensors: Mapping[str, tuple[int, ...]] | None = None,
    tokenizer: Path | None = None,
) -> Source:
    config = read_json(config_file)
    shapes_of(config)
    return Source(
        origin=origin,
        config=config,
        config_sha256=sha256_of(parse(config_file.read_bytes())),
        max_positions=_max_positions(config),
        commit=commit,
        tensors=tensors,
        tokenizer=tokenizer,
    )


def _max_positions(config: Mapping[str, object]) -> int:
    """The length of the model's context; transformers would make one up where it is missing.

    Bounded, because the longest clip is looked for by counting the positions of clips as long as that.
    """
    language = config.get("language_config")
    stated = language.get("max_position_embeddings") if isinstance(language, dict) else None
    if type(stated) is not int or not 1 <= stated <= MAX_SIZE:
        raise UsageError(
            "This is no configuration of MOSS-Audio: language_config.max_position_embeddings: "
            + ("Field required" if stated is None else f"a whole number from 1 to {MAX_SIZE} is needed"),
            hint="Use the config.json of a released model",
        )
    return stated
