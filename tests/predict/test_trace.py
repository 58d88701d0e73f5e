"""What a loaded model holds."""

from bench.arithmetic.shapes import shapes_of
from bench.predict.trace import ModelMemory


def test_weights_are_the_sum_of_the_tensors_and_some_may_leave() -> None:
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
    memory = ModelMemory((30, 12), 5, shapes, 2, leaving=(1,))
    assert (memory.weights_bytes, memory.staying_bytes) == (42, 30)
