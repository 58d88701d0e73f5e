"""Derived records that no `bench plan` would write, and that the schema accepts all the same."""

from datetime import UTC
from typing import get_args

from hypothesis import strategies as st

from bench.records.base import ByteInterval
from bench.records.cell import CellResult, Predicted, Unsupported
from bench.records.enums import Attention, AttentionKernel, OperatingSystem, Phase, Provenance
from bench.records.prediction import (
    Ceiling,
    Comparison,
    Derivation,
    Envelope,
    LongestClip,
    PhaseEnvelope,
    PlannedSystem,
    Term,
)
from bench.records.record import Record
from tests.samples import predictions as derived
from tests.samples import records as sample

sizes = st.integers(0, 2**63)
finite = st.floats(allow_nan=False, allow_infinity=False)
times = st.floats(0, allow_nan=False, allow_infinity=False)
texts = st.one_of(st.text(max_size=300), st.just(sample.HOSTILE))
intervals = st.none() | st.builds(ByteInterval, low=sizes, high=sizes)
attentions = st.sampled_from(Attention)

phases = st.builds(
    PhaseEnvelope,
    allocated_peak_bytes=sizes,
    cache_bytes=sizes,
    activations_bytes=sizes,
    workspace_bytes=sizes,
    buffers_bytes=sizes,
    rounding_bytes=sizes,
    peak_op=texts,
)
ceilings = st.builds(
    Ceiling,
    decode_tokens_per_s=st.none() | finite,
    encode_s=st.none() | times,
    prefill_s=st.none() | times,
    time_to_first_token_s=st.none() | times,
    latency_s=st.none() | times,
)
envelopes = st.builds(
    Envelope,
    weights_bytes=sizes,
    kv_cache_bytes=sizes,
    activations_peak_bytes=sizes,
    workspace_peak_bytes=sizes,
    convolution_workspace_bytes=intervals,
    allocated_peak_bytes=sizes,
    reserved_peak_bytes=intervals,
    context_bytes=intervals,
    device_peak_bytes=intervals,
    peak_phase=st.sampled_from(Phase),
    peak_op=texts,
    prompt_tokens=st.integers(),
    attention_kernel=st.sampled_from([None, *get_args(AttentionKernel)]),
    phases=st.dictionaries(st.sampled_from(Phase), phases, max_size=3),
    ceiling=st.none() | ceilings,
)
terms = st.builds(Term, low_bytes=sizes, typical_bytes=st.none() | sizes, high_bytes=sizes, evidence=texts)
lengths = st.none() | times
derivations = st.builds(
    Derivation,
    weights_source=st.sampled_from(["configuration", "safetensors headers"]),
    loading=texts,
    allocator=st.none() | texts,
    workspace_source=texts,
    system=st.none()
    | st.builds(
        PlannedSystem,
        os=st.sampled_from(get_args(OperatingSystem)),
        torch=st.from_regex(r"[0-9]{1,4}\.[0-9]{1,4}", fullmatch=True),
    ),
    headroom=st.sampled_from([None, "headless", "desktop"]),
    budget_basis=st.sampled_from([None, "catalog", "this_machine"]),
    read_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    desktop_is_given=st.booleans(),
    calibrated_by=st.tuples() | st.tuples(texts),
    driver_reserve=st.none() | terms,
    context=st.none() | terms,
    desktop=st.none() | terms,
    longest_clips=st.tuples()
    | st.tuples(
        st.builds(
            LongestClip,
            attention=attentions,
            max_tokens=st.integers(1, 10**9),
            headless_fits_s=lengths,
            headless_likely_fits_s=lengths,
            desktop_likely_fits_s=lengths,
            headless_misfit_s=lengths,
            desktop_fits_s=lengths,
            desktop_misfit_s=lengths,
            context_s=times,
        )
    ),
    compared=st.tuples()
    | st.tuples(
        st.builds(
            Comparison,
            record_id=texts,
            content_hash=texts,
            metric=st.sampled_from(["allocated_peak_bytes", "reserved_peak_bytes", "process_peak_bytes"]),
            cells=st.integers(),
            inside=st.none() | st.integers(),
            ratio_median=finite,
            ratio_low=finite,
            ratio_high=finite,
        )
    ),
)


@st.composite
def cells(draw: st.DrawFn) -> CellResult:
    """A predicted cell with or without an envelope, or one that cannot run."""
    clip_s, tokens = draw(st.sampled_from([1.0, 60.0, 1e9])), draw(st.integers(1, 10**9))
    wanted = sample.requested(clip_s, tokens, draw(attentions))
    if draw(st.booleans()):
        return sample.not_measured(wanted, Unsupported(reason=draw(texts)))
    blank = CellResult(cell_id=sample.cell_id(wanted), requested=wanted, outcome=Predicted())
    return blank.model_copy(update={"envelope": draw(st.none() | envelopes)})


@st.composite
def records(draw: st.DrawFn) -> Record:
    """A derived record, not sealed: what is in it may be larger than a sealed one can hold."""
    found = draw(st.lists(cells(), max_size=3, unique_by=lambda cell: cell.cell_id))
    device = draw(st.sampled_from([derived.RTX_4070, derived.RTX_5060_TI, sample.CPU]))
    total = {"memory_total_bytes": draw(st.none() | sizes)}
    return sample.record([], device=device, provenance=Provenance.DERIVED).model_copy(
        update={
            "cells": tuple(found),
            "device": device.model_copy(update=total),
            "derivation": draw(st.none() | derivations),
        }
    )


def hostile() -> Record:
    """A prediction whose every free text tries to get out of its place."""
    bad = sample.HOSTILE
    whole = derived.derived_record(clips=(10.0, 600.0), tokens=(128,))
    assert whole.derivation is not None
    cost = Term(low_bytes=1, high_bytes=2**30, evidence=bad)
    changed = {"allocator": bad, "loading": bad, "workspace_source": bad, "context": cost}
    compared = Comparison(
        record_id=bad,
        content_hash=bad,
        metric="reserved_peak_bytes",
        cells=2,
        inside=1,
        ratio_median=1.01,
        ratio_low=0.99,
        ratio_high=1.05,
    )
    derivation = whole.derivation.model_copy(update={**changed, "compared": (compared,)})
    return whole.model_copy(
        update={"cells": tuple(map(_hostile_cell, whole.cells)), "derivation": derivation}
    )


def _hostile_cell(cell: CellResult) -> CellResult:
    envelope = cell.envelope
    assert envelope is not None
    phases_ = {
        phase: part.model_copy(update={"peak_op": sample.HOSTILE}) for phase, part in envelope.phases.items()
    }
    formula = "=cmd|' /C calc'!A0"
    return cell.model_copy(
        update={"envelope": envelope.model_copy(update={"peak_op": formula, "phases": phases_})}
    )
