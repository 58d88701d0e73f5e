"""Checks of a checkpoint directory against the model to build, without reading weights."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from bench import shipped
from bench.errors import WeightsError
from bench.store.canonical import parse, sha256_of
from bench.store.untrusted import kind_of, read_file
from bench.weights.files import INDEX, SINGLE
from bench.weights.header import TensorEntry, printable, read_header
from bench.weights.impostors import require_genuine, unfinished

MODEL_TYPE: Final = "moss_audio"

_JSON_LIMIT_BYTES: Final = 50_000_000
_NAMED: Final = 3
_HINT: Final = "Download it again, or point --model to a MOSS-Audio checkpoint in safetensors format"


def verify(directory: Path, expected: Mapping[str, tuple[int, ...]]) -> dict[str, TensorEntry]:
    """Compare the tensors in the files' headers with those of the model, by name and shape.

    Example:
        `verify(checkpoint.directory, {name: tuple(t.shape) for name, t in model.state_dict().items()})`

    Returns the tensors in the files, by name.

    Raises:
        WeightsError: a file is missing, damaged or truncated; tensors are missing, extra, or of wrong shape.
    """
    found = read_tensors(directory)
    require_shapes({name: entry.shape for name, entry in found.items()}, expected, str(directory))
    return found


def require_shapes(
    found: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]], where: str
) -> None:
    """Refuse tensors that differ from those of the model in name or shape.

    Raises:
        WeightsError: tensors are missing, extra, or of wrong shape.
    """
    complaints = [
        _complaint("missing", [printable(name) for name in expected if name not in found]),
        _complaint("not part of the model", [printable(name) for name in found if name not in expected]),
        _complaint("of another shape", _wrong_shapes(found, expected)),
    ]
    if any(complaints):
        problems = "; ".join(complaint for complaint in complaints if complaint)
        raise WeightsError(f"The weights in {where} do not fit the model: {problems}", hint=_HINT)


def read_tensors(directory: Path) -> dict[str, TensorEntry]:
    """Return all tensors of a checkpoint, from the headers of its shards.

    Raises:
        WeightsError: a shard is missing or damaged, or index and shards contradict each other.
    """
    placed = _placement(directory)
    found: dict[str, TensorEntry] = {}
    for shard in shards(directory):
        header = read_header(directory / shard)
        strays = [
            name for name in header if name in found or (placed is not None and placed.get(name) != shard)
        ]
        if strays:
            raise WeightsError(
                f"{directory / shard} holds {_listed(strays)}, which contradicts the index", hint=_HINT
            )
        found |= header
    lost = [name for name in placed or {} if name not in found]
    if lost:
        raise WeightsError(f"{directory / INDEX} names {_listed(lost)}, which no shard contains", hint=_HINT)
    return found


def shards(directory: Path) -> tuple[str, ...]:
    """Return the names of a checkpoint's safetensors files, all of them present.

    Raises:
        WeightsError: there are none, the index is damaged, or a shard that it names is missing.
    """
    placed = _placement(directory)
    names = (SINGLE,) if placed is None else tuple(sorted(set(placed.values())))
    absent = [name for name in names if kind_of(directory / name) != "file"]
    begun = next((left for name in absent if (left := unfinished(directory, name)) is not None), None)
    if begun is not None:
        raise WeightsError(
            f"{directory} is incomplete: {_listed(absent)} missing, and a download is unfinished ({begun})",
            hint="Start the download again, or remove the directory and use --model OWNER/NAME",
        )
    if placed is not None and absent:
        raise WeightsError(f"{directory} is incomplete: {_listed(absent)} missing", hint=_HINT)
    if absent:
        raise _no_weights(directory)
    return names


def require_moss_audio(directory: Path) -> None:
    """Refuse a directory that holds another model, before anything large is fetched or read.

    Raises:
        WeightsError: config.json is missing or damaged, or its `model_type` is another one.
    """
    path = directory / "config.json"
    if kind_of(path) is None:
        raise WeightsError(f"{directory} has no config.json", hint="Set --model to a MOSS-Audio checkpoint")
    model_type = read_json(path).get("model_type")
    if model_type != MODEL_TYPE:
        stated = printable(model_type) if isinstance(model_type, str) else "not stated"
        raise WeightsError(
            f"{path} is not of a MOSS-Audio model: its model_type is {stated}, not {MODEL_TYPE}",
            hint="Set --model to a MOSS-Audio checkpoint",
        )


def config_sha256(config_file: Path) -> str:
    """Return the hash of a configuration's canonical form.

    Raises:
        WeightsError: it cannot be read.
        RecordError: it has no canonical form.
    """
    return sha256_of(parse(_content(config_file)))


@cache
def shipped_configuration(model: str) -> str | None:
    """Return the hash of the configuration that bench ships for a model; None for a name without one."""
    path = shipped.data("models", f"{model}.json")
    return config_sha256(path) if path.is_file() else None


def read_json(path: Path) -> dict[str, object]:
    """Read a JSON object of a checkpoint.

    Raises:
        WeightsError: unreadable, absurdly large, no JSON, or no object.
    """
    require_genuine(path, text=True)
    try:
        document = json.loads(_content(path).decode())
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path} is not valid JSON", hint=_HINT) from error
    if not isinstance(document, dict):
        raise WeightsError(f"{path} is not a JSON object", hint=_HINT)
    return document


def _content(path: Path) -> bytes:
    try:
        return read_file(path, _JSON_LIMIT_BYTES)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}", hint=_HINT) from error


def _placement(directory: Path) -> dict[str, str] | None:
    """Map tensor names to shard names by the index; None for a checkpoint of one file.

    As in transformers, `model.safetensors` comes before an index.
    """
    path = directory / INDEX
    if kind_of(directory / SINGLE) == "file" or kind_of(path) is None:
        return None
    placed = read_json(path).get("weight_map")
    if not isinstance(placed, dict) or not placed:
        raise WeightsError(f"{path} has no weight_map", hint=_HINT)
    return {name: _shard_name(value, path) for name, value in placed.items()}


def _shard_name(value: object, path: Path) -> str:
    """Check a shard's name: an index is untrusted, and only plain names in its folder are followed."""
    if not isinstance(value, str) or not value.endswith(".safetensors") or set(value) & set("/\\:\0"):
        raise WeightsError(
            f"{path} names a shard that is not a .safetensors file in the same folder", hint=_HINT
        )
    return value


def _no_weights(directory: Path) -> WeightsError:
    pickled = any(path.suffix in {".bin", ".pt", ".pth", ".ckpt"} for path in directory.iterdir())
    remark = ": only pickled ones, which are never opened because they can run code" if pickled else ""
    return WeightsError(f"{directory} contains no safetensors weights{remark}", hint=_HINT)


def _wrong_shapes(found: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]]) -> list[str]:
    return [
        f"{printable(name)} is {list(found[name])} instead of {list(shape)}"
        for name, shape in expected.items()
        if name in found and found[name] != tuple(shape)
    ]


def _complaint(what: str, names: list[str]) -> str:
    return f"{len(names)} {what} ({_first(names)})" if names else ""


def _listed(names: list[str]) -> str:
    return _first([printable(name) for name in names])


def _first(names: Iterable[str]) -> str:
    shown = list(names)
    more = f" and {len(shown) - _NAMED} more" if len(shown) > _NAMED else ""
    return ", ".join(shown[:_NAMED]) + more
