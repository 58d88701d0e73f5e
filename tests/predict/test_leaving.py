"""A tensor that leaves for the host once all are loaded: there while loading, room for all else later."""

from dataclasses import replace

from bench.predict.prediction import OnCard, predict
from bench.records.enums import Phase
from bench.records.prediction import Envelope
from bench.units import MIB
from tests.predict.test_prediction import CARD, MEMORY, generation

TENSORS = (30 * MIB, 64 * MIB, 50 * MIB)


def envelope(*leaving: int) -> Envelope:
    memory = replace(MEMORY, tensors=TENSORS, leaving=leaving)
    where = OnCard(CARD)
    return predict(generation(), memory, where, mel_frames=80, logits_positions="all", max_tokens=[9])[9]


def test_it_is_there_while_loading_and_not_later() -> None:
    whole, left = envelope(), envelope(1)
    assert (whole.weights_bytes, left.weights_bytes) == (144 * MIB, 80 * MIB)
    assert left.phases[Phase.LOAD].allocated_peak_bytes == whole.phases[Phase.LOAD].allocated_peak_bytes
    for phase in (Phase.ENCODE, Phase.PREFILL, Phase.DECODE):
        before, after = (found.phases[phase].allocated_peak_bytes for found in (whole, left))
        assert before - after == 64 * MIB


def test_its_room_serves_the_generation() -> None:
    whole, left = envelope(), envelope(1)
    assert whole.reserved_peak_bytes is not None
    assert left.reserved_peak_bytes is not None
    saved = whole.reserved_peak_bytes.low - left.reserved_peak_bytes.low
    assert 0 < saved <= 64 * MIB
    assert left.reserved_peak_bytes.low >= 144 * MIB


def test_each_phase_still_adds_up() -> None:
    found = envelope(1)
    for phase in found.phases.values():
        terms = phase.cache_bytes + phase.activations_bytes + phase.workspace_bytes + phase.buffers_bytes
        assert found.weights_bytes + terms == phase.allocated_peak_bytes
