"""Reader of the header of a safetensors file, as untrusted data; the tensors are not read.

The format: 8 bytes with the length of the header (little-endian), a JSON object that maps each tensor's name
to `dtype`, `shape` and `data_offsets`, then the data, without holes (https://huggingface.co/docs/safetensors).
"""

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, NoReturn

from bench.errors import WeightsError
from bench.store.untrusted import open_file
from bench.weights.impostors import require_genuine

HEADER_LIMIT_BYTES: Final = 100_000_000
"""The limit that the reference implementation sets."""

_LENGTH_BYTES: Final = 8
_LARGEST_RANK: Final = 16
_ELEMENT_BYTES: Final = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "U16": 2,
    "I16": 2,
    "F16": 2,
    "BF16": 2,
    "U32": 4,
    "I32": 4,
    "F32": 4,
    "U64": 8,
    "I64": 8,
    "F64": 8,
}


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One tensor of a header: offsets in bytes from the start of the data."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def read_header(path: Path) -> dict[str, TensorEntry]:
    """Return the tensors of one file, by name.

    Raises:
        WeightsError: not a safetensors file, a truncated one, or an inconsistent header.
    """
    require_genuine(path, text=False)
    try:
        with open_file(path) as file:
            size = os.fstat(file.fileno()).st_size
            text = _header_text(file, path, size)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from error
    entries = _parse(text, path)
    _check_layout(entries, size - _LENGTH_BYTES - len(text), path)
    return entries


def _header_text(file: BinaryIO, path: Path, size: int) -> bytes:
    length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
    if size < _LENGTH_BYTES:
        _refuse(path, "is truncated")
    if length > HEADER_LIMIT_BYTES:
        _refuse(path, "is not a safetensors file: it states a header of more than 100 MB")
    if length > size - _LENGTH_BYTES:
        _refuse(path, "is truncated: it ends inside its header")
    return file.read(length)


def _parse(text: bytes, path: Path) -> dict[str, TensorEntry]:
    try:
        document = json.loads(text, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        raise WeightsError(
            f"{path} is not a safetensors file: its header is not valid JSON", hint=_HINT
        ) from error
    if not isinstance(document, dict):
        _refuse(path, "is not a safetensors file: its header is not a JSON object")
    return {name: _entry(name, value, path) for name, value in document.items() if name != "__metadata__"}


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name occurs twice")
    return result


def _entry(name: str, value: object, path: Path) -> TensorEntry:
    if not isinstance(value, dict):
        _refuse(path, f"has a broken header entry for {printable(name)}")
    dtype, shape, offsets = value.get("dtype"), _sizes(value.get("shape")), _sizes(value.get("data_offsets"))
    if shape is None or offsets is None or len(offsets) != 2:
        _refuse(path, f"has a broken header entry for {printable(name)}")
    if not isinstance(dtype, str) or dtype not in _ELEMENT_BYTES:
        _refuse(path, f"has a tensor of an unknown type: {printable(name)}")
    begin, end = offsets
    if end - begin != math.prod(shape) * _ELEMENT_BYTES[dtype]:
        _refuse(path, f"states a size for {printable(name)} that is not that of its shape")
    return TensorEntry(dtype, shape, begin, end)


def _sizes(value: object) -> tuple[int, ...] | None:
    """Return a short list of whole numbers from 0 to 2**63, or None. `True` is not a number."""
    if not isinstance(value, list) or len(value) > _LARGEST_RANK:
        return None
    if not all(type(item) is int and 0 <= item < 2**63 for item in value):
        return None
    return tuple(value)


def _check_layout(entries: dict[str, TensorEntry], data_bytes: int, path: Path) -> None:
    """Check that tensors follow each other without holes or overlaps, and the file ends with the last one."""
    position = 0
    for name, entry in sorted(entries.items(), key=lambda item: (item[1].begin, item[1].end)):
        if entry.begin != position:
            _refuse(path, f"has overlapping tensors or a hole before {printable(name)}")
        position = entry.end
    if position > data_bytes:
        _refuse(path, f"is truncated: {position - data_bytes:,} bytes are missing at its end")
    if position < data_bytes:
        _refuse(path, f"has {data_bytes - position:,} bytes behind its last tensor")


_HINT: Final = "Download the checkpoint again"


def _refuse(path: Path, what: str) -> NoReturn:
    raise WeightsError(f"{path} {what}", hint=_HINT)


def printable(name: str) -> str:
    """Return an untrusted name, safe to print: control characters escaped, at most 80 characters."""
    shown = name.encode("unicode_escape").decode("ascii")
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
