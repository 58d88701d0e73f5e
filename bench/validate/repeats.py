"""Raw repeats of a cell: as many as the suite has, tokens counted, times in order and adding up."""

from collections.abc import Iterator
from math import inf, isinf
from typing import Final

from bench.records.cell import CellResult, Measured, Predicted, Repeat
from bench.validate.candidate import Candidate, Found
from bench.validate.claims import NATIVE

ABSOLUTE_S: Final = 2e-6
"""Times of tokens are kept to a microsecond."""
RELATIVE: Final = 1e-6
"""Of sums and quotients of these."""


def repeats(candidate: Candidate) -> Iterator[Found]:
    """Yield what contradicts itself inside the repeats of each cell."""
    for place, cell in enumerate(candidate.record.cells):
        path = f"cells[{place}]"
        yield from _outcome(path, cell)
        if isinstance(cell.outcome, Measured):
            yield from _count(candidate, path, cell)
            timed = ((f"{path}.repeats[{nth}]", repeat) for nth, repeat in enumerate(cell.repeats))
            every = (*timed, *(() if cell.cold is None else ((f"{path}.cold", cell.cold),)))
            for where, repeat in every:
                yield from _tokens(where, repeat, cell)
                yield from _times(where, repeat, cell.requested.clip_seconds)


def _outcome(path: str, cell: CellResult) -> Iterator[Found]:
    """A cell has figures of what it is: repeats where it ran, an envelope where it was predicted."""
    ran, predicted = isinstance(cell.outcome, Measured), isinstance(cell.outcome, Predicted)
    present = {
        "repeats": bool(cell.repeats),
        "summary": cell.summary is not None,
        "envelope": cell.envelope is not None,
    }
    expected = {"repeats": ran, "summary": ran, "envelope": predicted}
    for name, is_there in present.items():
        if name == "repeats" and ran:
            continue  # `_count` says more
        if is_there != expected[name]:
            facts = {"status": cell.outcome.status, "field": name}
            yield Found("outcome_contradicted", f"{path}.{name}", facts)


def _count(candidate: Candidate, path: str, cell: CellResult) -> Iterator[Found]:
    suite, found = candidate.suite, len(cell.repeats)
    least = 1 if suite is None else suite.measure.repeats
    if found < least:
        yield Found("repeats_missing", f"{path}.repeats", {"found": found, "least": least})
    elif suite is not None and found > suite.measure.max_repeats:
        facts = {"found": found, "most": suite.measure.max_repeats}
        yield Found("repeats_too_many", f"{path}.repeats", facts)


def _tokens(path: str, repeat: Repeat, cell: CellResult) -> Iterator[Found]:
    tokens, asked = repeat.generated_tokens, cell.requested.max_tokens
    is_full = (
        repeat.stop_reason == "length" or cell.requested.engine == NATIVE
    )  # which lets no answer end early
    if tokens < 1 or tokens > asked or (is_full and tokens != asked):
        yield Found("tokens_miscounted", f"{path}.generated_tokens", {"found": tokens, "asked": asked})
    times = repeat.token_times_s
    if times is not None and len(times) != tokens:
        yield Found("tokens_miscounted", f"{path}.token_times_s", {"found": len(times), "asked": tokens})


def _times(path: str, repeat: Repeat, clip_seconds: float) -> Iterator[Found]:
    first, last = repeat.time_to_first_token_s, repeat.latency_s
    before = (repeat.preprocess_s or 0.0) + (repeat.encode_s or 0.0)
    if before > first + ABSOLUTE_S or first > last + ABSOLUTE_S:
        yield Found("times_disordered", path, {"before_s": before, "first_s": first, "last_s": last})
    times = repeat.token_times_s
    if times and sorted(times) != list(times):
        yield Found("times_disordered", f"{path}.token_times_s", {"first_s": times[0], "last_s": times[-1]})
    for name, stated, computed in _sums(repeat, clip_seconds):
        if differs(stated, computed):
            facts = {"stated": None if isinf(stated) else stated, "computed": computed}
            yield Found("times_do_not_add_up", f"{path}.{name}", facts)


def _sums(repeat: Repeat, clip_seconds: float) -> Iterator[tuple[str, float, float]]:
    """Each total, as stated and as it follows from other figures."""
    yield "real_time_factor", repeat.real_time_factor, repeat.latency_s / clip_seconds
    first, last = repeat.time_to_first_token_s, repeat.latency_s
    if repeat.token_times_s:
        first, last = repeat.token_times_s[0], repeat.token_times_s[-1]
        yield "time_to_first_token_s", repeat.time_to_first_token_s, first
        yield "latency_s", repeat.latency_s, last
    rate = repeat.decode_tokens_per_s
    if rate is not None:
        # The rate as a time: rounding of the times is absolute.
        decode_s = repeat.latency_s - repeat.time_to_first_token_s
        yield "decode_tokens_per_s", (repeat.generated_tokens - 1) / rate if rate > 0 else inf, decode_s


def differs(stated: float, computed: float, absolute: float = ABSOLUTE_S) -> bool:
    """Whether two figures differ by more than rounding. An infinite one is only equal to itself."""
    if isinf(stated) or isinf(computed):
        return stated != computed
    return abs(stated - computed) > absolute + RELATIVE * max(abs(stated), abs(computed))
