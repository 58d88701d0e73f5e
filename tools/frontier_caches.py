"""Other KV caches, as changes of a trace that was made with the usual one, which grows by concatenation.

Arithmetic, not traces: what their other attention masks and copies take is left out, so that they show the
most that such a cache can gain.
"""

from dataclasses import replace
from typing import Final

from bench.predict.events import Event, StepEvent, Trace

ANSWER_TOKENS: Final = 512
_LAYERS: Final = "language_model.layers."
_AT_ONCE: Final = 2  # the layer that computes, and the next one on its way


def in_one_piece(trace: Trace) -> Trace:
    """As `StaticCache` has it: room for the whole answer from the first layer's prefill on, never moved."""
    cache = _cache_blocks(trace)
    prefill_end = trace.tokens_at[0]
    grown = (trace.prompt_tokens + ANSWER_TOKENS) / trace.prompt_tokens
    kept: list[Event] = []
    places: list[int] = [0]
    for place, event in enumerate(trace.events):
        if event.block not in cache:
            kept.append(event)
        elif place < prefill_end and event.size_bytes:
            kept.append(event._replace(size_bytes=round(event.size_bytes * grown)))
        places.append(len(kept))
    return _with_events(trace, kept, places, _without_cache(trace, keep=frozenset()))


def on_the_host(trace: Trace) -> Trace:
    """As an offloaded `DynamicCache` has it: keys and values of two layers are on the device."""
    layers = tuple(f"{_LAYERS}{layer}." for layer in range(_AT_ONCE))
    here = frozenset(place for place, kernel in enumerate(trace.kernels) if kernel.scope.startswith(layers))
    gone = {event.block for event in trace.events if event.is_cache and event.kernel not in here}
    kept: list[Event] = []
    places: list[int] = [0]
    for event in trace.events:
        if event.block not in gone:
            kept.append(event)
        places.append(len(kept))
    return _with_events(trace, kept, places, _without_cache(trace, keep=here))


def _cache_blocks(trace: Trace) -> set[int]:
    return {event.block for event in trace.events if event.is_cache}


def _without_cache(trace: Trace, *, keep: frozenset[int]) -> tuple[StepEvent, ...]:
    """Events of a decode step but for cache that these kernels did not make."""
    if trace.step is None:
        return ()
    gone = {event.number for event in trace.step.events if event.is_cache and event.kernel not in keep}
    return tuple(event for event in trace.step.events if event.number not in gone)


def _with_events(trace: Trace, events: list[Event], places: list[int], step: tuple[StepEvent, ...]) -> Trace:
    return replace(
        trace,
        events=tuple(events),
        tokens_at=tuple(places[count] for count in trace.tokens_at),
        step=replace(trace.step, events=step) if trace.step is not None else None,
    )
