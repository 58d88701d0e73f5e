"""How weights arrive, against figures that the released checkpoint has."""

from hypothesis import given
from hypothesis import strategies as st

from bench.arithmetic.shapes import shapes_of
from bench.predict.model import SHARD_BYTES, Arrival, Loading, ModelMemory, arrivals, loading_peak_bytes
from bench.units import GB

TENSORS = st.lists(st.integers(1, 2 * GB), min_size=1, max_size=20)
RELEASED = [GB] * 10 + [445_641_472]  # as many bytes as 4B-Instruct has


def test_weights_are_the_sum_of_the_tensors() -> None:
    shapes = shapes_of(
        {
            "adapter_hidden_size": 16,
            "audio_config": {},
            "language_config": {
                "vocab_size": 8,
                "hidden_size": 4,
                "intermediate_size": 8,
                "num_hidden_layers": 1,
                "num_attention_heads": 1,
                "num_key_value_heads": 1,
                "head_dim": 4,
            },
        }
    )
    assert ModelMemory((30, 12), 5, shapes, 2).weights_bytes == 42


def test_tensor_by_tensor_takes_nothing_more() -> None:
    assert loading_peak_bytes(RELEASED, Loading.TENSOR_BY_TENSOR) == sum(RELEASED)
    assert list(arrivals([3, 4], Loading.TENSOR_BY_TENSOR)) == [Arrival(0, 3), Arrival(1, 4)]


def test_a_shard_is_there_beside_what_was_copied_from_it() -> None:
    assert loading_peak_bytes(RELEASED, Loading.SHARD_BY_SHARD) == 15 * GB
    one = [*arrivals([3, 4], Loading.SHARD_BY_SHARD)]
    assert one == [
        Arrival(-1, 3),
        Arrival(-2, 4),
        Arrival(0, 3),
        Arrival(1, 4),
        Arrival(-1, 0),
        Arrival(-2, 0),
    ]


def test_twice_is_twice() -> None:
    assert loading_peak_bytes(RELEASED, Loading.TWICE) == 2 * sum(RELEASED)


def test_a_tensor_larger_than_a_shard_stands_alone() -> None:
    tensors = [1, SHARD_BYTES + 1, 1]
    assert loading_peak_bytes(tensors, Loading.SHARD_BY_SHARD) == 1 + 2 * (SHARD_BYTES + 1)


def test_a_model_without_tensors_takes_nothing() -> None:
    assert [loading_peak_bytes([], loading) for loading in Loading] == [0, 0, 0]


@given(TENSORS, st.sampled_from(Loading))
def test_at_the_end_the_model_is_there_and_nothing_else(tensors: list[int], loading: Loading) -> None:
    alive: dict[int, int] = {}
    for block, size_bytes in arrivals(tensors, loading):
        if size_bytes:
            assert block not in alive
            alive[block] = size_bytes
        else:
            del alive[block]
    assert alive == dict(enumerate(tensors))


@given(TENSORS)
def test_a_shard_at_a_time_lies_between_the_others(tensors: list[int]) -> None:
    least, shards, most = (loading_peak_bytes(tensors, loading) for loading in Loading)
    assert sum(tensors) == least <= shards <= most == 2 * sum(tensors)
