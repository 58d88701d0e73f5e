"""Reading safetensors headers that may say anything."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import WeightsError
from bench.weights.header import TensorEntry, printable, read_header
from tests.weights.samples import shard


def written(tmp_path: Path, header: bytes, data: bytes = b"", *, length: int | None = None) -> Path:
    path = tmp_path / "model.safetensors"
    size = len(header) if length is None else length
    path.write_bytes(size.to_bytes(8, "little") + header + data)
    return path


def entry(begin: int, end: int, *, shape: object = None, dtype: object = "F32") -> dict[str, object]:
    return {
        "dtype": dtype,
        "shape": [(end - begin) // 4] if shape is None else shape,
        "data_offsets": [begin, end],
    }


def test_a_file_of_the_reference_implementation(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(shard(0, a=(2, 3), b=(4,), scalar=()))
    found = read_header(path)
    assert {name: (one.dtype, one.shape) for name, one in found.items()} == {
        "a": ("F32", (2, 3)),
        "b": ("F32", (4,)),
        "scalar": ("F32", ()),
    }


def test_metadata_is_no_tensor(tmp_path: Path) -> None:
    header = {"__metadata__": {"format": "pt"}, "x": entry(0, 8)}
    path = written(tmp_path, json.dumps(header).encode(), bytes(8))
    assert read_header(path) == {"x": TensorEntry("F32", (2,), 0, 8)}


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ([], "not a JSON object"),
        ({"x": []}, "broken header entry for x"),
        ({"x": {}}, "broken header entry for x"),
        ({"x": entry(0, 8, shape=[2.0])}, "broken header entry for x"),
        ({"x": entry(0, 4, shape=[True])}, "broken header entry for x"),
        ({"x": entry(0, 8, shape=[-1, -2])}, "broken header entry for x"),
        ({"x": entry(0, 8, shape=[1] * 17 + [2])}, "broken header entry for x"),
        ({"x": entry(0, 8, shape=[2**64])}, "broken header entry for x"),
        ({"x": entry(0, 8, dtype="PICKLE")}, "unknown type: x"),
        ({"x": entry(0, 8, dtype=["F32"])}, "unknown type: x"),
        ({"x": entry(0, 8, shape=[3])}, "not that of its shape"),
        ({"x": entry(8, 0, shape=[2])}, "not that of its shape"),
        ({"x": entry(4, 8)}, "a hole before x"),
        ({"x": entry(0, 8), "y": entry(4, 12)}, "overlapping tensors or a hole before y"),
        ({"x": entry(0, 12)}, "truncated: 4 bytes are missing"),
        ({"x": entry(0, 4)}, "4 bytes behind its last tensor"),
        ({"x": entry(0, 2**62)}, "truncated"),
    ],
)
def test_a_header_that_contradicts_itself_or_its_file(tmp_path: Path, header: object, told: str) -> None:
    path = written(tmp_path, json.dumps(header).encode(), bytes(8))
    with pytest.raises(WeightsError, match=told):
        read_header(path)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"\xff", b'{"x": 1, "x": 2}', b"[" * 200_000, b'{"x": ' + b"9" * 5000 + b"}"]
)
def test_a_header_that_is_no_sound_json(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(WeightsError, match="not valid JSON"):
        read_header(written(tmp_path, text))


def test_a_length_beyond_the_file_or_beyond_reason(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="ends inside its header"):
        read_header(written(tmp_path, b"{}", length=3))
    with pytest.raises(WeightsError, match="a header of more than 100 MB"):
        read_header(written(tmp_path, b"{}", length=2**63))


@pytest.mark.parametrize("size", range(1, 8))
def test_a_file_too_short_for_a_length(tmp_path: Path, size: int) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(bytes(size))
    with pytest.raises(WeightsError, match="is truncated"):
        read_header(path)


SOUND = shard(0, a=(2, 3), b=(4,))


@settings(max_examples=200)
@given(position=st.integers(0, len(SOUND) - 1), replacement=st.binary(max_size=4), dropped=st.integers(0, 4))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, position: int, replacement: bytes, dropped: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.safetensors"
    path.write_bytes(SOUND[:position] + replacement + SOUND[position + dropped :])
    try:
        found = read_header(path)
    except WeightsError as error:
        assert "\n" not in str(error)
    else:
        assert sum(one.end - one.begin for one in found.values()) < path.stat().st_size


@given(st.text())
def test_names_are_shown_without_control_characters(name: str) -> None:
    assert printable(name).isprintable()
    assert len(printable(name)) <= 80
