"""Comparing a checkpoint with the model it should fit, by names and shapes."""

import json
from pathlib import Path

import pytest
import torch

from bench.errors import WeightsError
from bench.moss_audio import MossAudioConfig
from bench.run.run_spec import released_names
from bench.weights.checkpoint import read_tensors, shards, shipped_configuration, verify
from bench.weights.random import meta_model
from tests.weights.samples import SHAPES, SHARDS, shard

INDEX = "model.safetensors.index.json"


def set_index(directory: Path, weight_map: object) -> None:
    (directory / INDEX).write_text(json.dumps({"weight_map": weight_map}))


def test_a_checkpoint_that_fits(directory: Path) -> None:
    found = verify(directory, SHAPES)
    assert {name: entry.shape for name, entry in found.items()} == SHAPES
    assert sum(entry.end - entry.begin for entry in found.values()) == 4 * (64 + 6 + 35)


def test_one_file_without_an_index(directory: Path) -> None:
    for name in (*SHARDS, INDEX):
        (directory / name).unlink()
    (directory / "model.safetensors").write_bytes(shard(0, a=(64,), b=(2, 3), c=(5, 7)))
    assert verify(directory, SHAPES).keys() == SHAPES.keys()


def test_missing_extra_and_misshapen_tensors_are_counted_and_the_first_are_named(directory: Path) -> None:
    expected: dict[str, tuple[int, ...]] = {
        "a": (64, 1),
        "c": (5, 7),
        **{f"layer.{n}": (1,) for n in range(5)},
    }
    with pytest.raises(WeightsError) as caught:
        verify(directory, expected)
    line = str(caught.value)
    assert "5 missing (layer.0, layer.1, layer.2 and 2 more)" in line
    assert "1 not part of the model (b)" in line
    assert "1 of another shape (a is [64] instead of [64, 1])" in line


def test_a_truncated_shard_is_noticed_without_reading_it(directory: Path) -> None:
    content = (directory / SHARDS[1]).read_bytes()
    (directory / SHARDS[1]).write_bytes(content[:-3])
    with pytest.raises(WeightsError, match=f"{SHARDS[1]} is truncated: 3 bytes are missing"):
        verify(directory, SHAPES)


@pytest.mark.parametrize(
    "name",
    [
        "../secret.safetensors",
        "/etc/passwd",
        "a/b.safetensors",
        "..\\x.safetensors",
        "C:x.safetensors",
        "x.bin",
        3,
    ],
)
def test_an_index_cannot_point_outside_its_folder_or_at_other_formats(directory: Path, name: object) -> None:
    set_index(directory, {"a": SHARDS[0], "b": name})
    with pytest.raises(WeightsError, match=r"not a \.safetensors file in the same folder"):
        shards(directory)


@pytest.mark.parametrize("weight_map", [{}, [], None, "x"])
def test_an_index_without_a_map(directory: Path, weight_map: object) -> None:
    set_index(directory, weight_map)
    with pytest.raises(WeightsError, match="has no weight_map"):
        shards(directory)


def test_an_index_that_promises_a_tensor_that_no_shard_holds(directory: Path) -> None:
    set_index(directory, {"a": SHARDS[0], "b": SHARDS[0], "c": SHARDS[1], "d": SHARDS[1]})
    with pytest.raises(WeightsError, match="names d, which no shard contains"):
        read_tensors(directory)


def test_an_index_that_looks_for_a_tensor_in_the_wrong_shard(directory: Path) -> None:
    set_index(directory, {"a": SHARDS[0], "b": SHARDS[1], "c": SHARDS[1]})
    with pytest.raises(WeightsError, match=f"{SHARDS[0]} holds b, which contradicts the index"):
        read_tensors(directory)


def test_a_tensor_that_the_index_leaves_out(directory: Path) -> None:
    set_index(directory, {"a": SHARDS[0], "c": SHARDS[1]})
    with pytest.raises(WeightsError, match="holds b, which contradicts the index"):
        read_tensors(directory)


def test_the_golden_checkpoint_fits_the_model_built_from_its_config() -> None:
    golden = Path(__file__).parents[1] / "data" / "golden" / "tiny-a"
    model = meta_model(MossAudioConfig.from_pretrained(golden), dtype=torch.float32)
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    assert verify(golden, expected).keys() == expected.keys()
    narrower = {**expected, "lm_head.weight": (512, 64)}
    with pytest.raises(WeightsError, match=r"1 of another shape \(lm_head.weight is \[512, 128\]"):
        verify(golden, narrower)


def test_the_shipped_configuration_is_that_of_each_released_model() -> None:
    found = {name: shipped_configuration(name) for name in released_names()}
    assert None not in found.values()
    assert found["MOSS-Audio-4B-Instruct"] != found["MOSS-Audio-8B-Instruct"]
    assert shipped_configuration("my-finetune") is None
