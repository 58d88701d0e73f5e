"""Layers that are left out come back: how many, under which numbers, and only where they are alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.predict.trace import Kernel
from bench.predict.tracing.folding import Pass, RawEvent, Recording, UnlikeLayersError, fold, unfold
from bench.records.enums import Phase


@given(st.integers(1, 60), st.sets(st.integers(0, 59), max_size=6))
def test_a_folded_stack_stands_for_all_of_its_layers(layers: int, special: set[int]) -> None:
    folded = fold(layers, sorted(special))
    assert sum(folded.copies) == layers
    assert [folded.number(layer) for layer in folded.special] == sorted(n for n in special if n < layers)
    assert folded.layers <= 3 * len(special) + 2


def stack_of(sizes: list[int]) -> Recording:
    """Each layer makes one block and drops that of the layer before it."""
    events = []
    for layer, size in enumerate(sizes):
        where = Pass("stack", layer, 0)
        events.append(RawEvent(layer, layer, size, where))
        if layer:
            events.append(RawEvent(layer, layer - 1, 0, where))
    kernels = tuple(Kernel("op", f"stack.{layer}.act", Phase.ENCODE) for layer in range(len(sizes)))
    return Recording(kernels, (*events, RawEvent(len(sizes) - 1, len(sizes) - 1, 0, None)), ())


@given(st.integers(2, 40))
def test_repeated_layers_hand_on_one_block(layers: int) -> None:
    whole = unfold(stack_of([8, 8]), {"stack": fold(layers, ())})
    made = [event for event in whole.events if event.size_bytes]
    assert len(made) == layers
    assert len(whole.events) == 2 * layers
    assert sorted(event.block for event in whole.events if not event.size_bytes) == sorted(
        event.block for event in made
    )
    scopes = [whole.kernels[event.kernel].scope for event in made]
    assert scopes == [f"stack.{layer}.act" for layer in range(layers)]


def test_a_layer_that_is_not_like_the_one_before_is_not_repeated() -> None:
    with pytest.raises(UnlikeLayersError, match=r"layer 1 of stack"):
        unfold(stack_of([8, 16]), {"stack": fold(5, ())})
