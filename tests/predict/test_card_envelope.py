"""Stored figures of a cell, with the costs of a card."""

import json
from pathlib import Path

from bench.arithmetic.shapes import shapes_of
from bench.hardware.budget import CONTEXT
from bench.predict.card_envelope import CardTerms, PhaseTerms, card_envelope
from bench.records.enums import Phase
from bench.units import MIB

SHAPES = shapes_of(json.loads(Path("bench/data/models/MOSS-Audio-4B-Instruct.json").read_text()))
TERMS = CardTerms(
    weights_bytes=1000 * MIB,
    buffers_bytes=256,
    kept_bytes=8 * MIB,
    prompt_tokens=157,
    activations_peak_bytes=70 * MIB,
    convolution_bytes=50 * MIB,
    reserved_bytes=1100 * MIB,
    reserved_with_convolution_bytes=1090 * MIB,
    phases={
        Phase.LOAD: PhaseTerms(0, 90 * MIB, 512, "loading the weights"),
        Phase.ENCODE: PhaseTerms(0, 70 * MIB, 100, "encoder: aten::gelu"),
        Phase.DECODE: PhaseTerms(20 * MIB, 5 * MIB, 0, "aten::mm"),
    },
)


def test_the_terms_of_a_phase_add_up_and_the_highest_phase_is_the_peak() -> None:
    found = card_envelope(TERMS, SHAPES, element_bytes=2, max_tokens=128)
    for phase in found.phases.values():
        parts = phase.cache_bytes + phase.activations_bytes + phase.workspace_bytes + phase.buffers_bytes
        assert phase.allocated_peak_bytes == found.weights_bytes + parts + phase.rounding_bytes
    assert found.phases[Phase.LOAD].workspace_bytes == 0
    assert (found.peak_phase, found.peak_op) == (Phase.LOAD, "loading the weights")
    assert found.allocated_peak_bytes == 1090 * MIB + 256 + 512


def test_reserved_reaches_from_the_allocated_bytes_to_the_higher_of_both_replays() -> None:
    found = card_envelope(TERMS, SHAPES, element_bytes=2, max_tokens=128)
    assert found.reserved_peak_bytes is not None
    assert found.device_peak_bytes is not None
    assert found.reserved_peak_bytes.low == found.allocated_peak_bytes
    assert found.reserved_peak_bytes.high == 1100 * MIB
    assert found.device_peak_bytes.high == 1100 * MIB + CONTEXT.high_bytes


def test_the_cache_ends_before_the_last_token() -> None:
    """36 layers, 8 heads of keys and of values, 128 wide, 2 bytes: 147,456 bytes a position."""
    found = card_envelope(TERMS, SHAPES, element_bytes=2, max_tokens=128)
    assert found.kv_cache_bytes == (157 + 127) * 147_456
