"""The challenge of a record: issued before the run, and answered about the excerpt that follows from it."""

from collections.abc import Iterator
from typing import Final

from bench.identity.challenge import signature_holds
from bench.judge.challenge import CLOCKS_DIFFER
from bench.records.cell import Measured, Predicted, Requested
from bench.records.enums import Provenance, WeightMode
from bench.records.record import Challenge, Record
from bench.suite.cells import cell_id
from bench.suite.challenge import challenge_request, excerpt_starts
from bench.validate.candidate import Candidate, Fact, Found
from bench.validate.claims import released_shapes
from bench.weights.tiny import VOCABULARY

_CELL: Final = "challenge.cell"
_FIGURES: Final = (
    *("cold", "repeats", "summary", "memory", "memory_trace", "device_memory", "power", "work", "envelope"),
)
"""Parts of a cell that a challenge does not have: nothing is measured."""


def challenge(candidate: Candidate) -> Iterator[Found]:
    """Yield what is wrong with the challenge and its answer; nothing for a record without one."""
    record, found = candidate.record, candidate.record.challenge
    if found is None:
        return
    if record.provenance is Provenance.DERIVED:
        facts: dict[str, Fact] = {"stated": record.provenance.value, "reason": "it has a challenge"}
        yield Found("provenance_contradicted", "challenge", facts)
    yield from _issued(record, found)
    yield from _requested(candidate, found)
    yield from _outcome(found)
    yield from _answer(record, found)


def _issued(record: Record, found: Challenge) -> Iterator[Found]:
    issued = found.issued
    if not signature_holds(issued):
        yield Found("challenge_signature_invalid", "challenge.issued.signature")
    if issued.issued_at - record.created_at > CLOCKS_DIFFER:
        facts = {"stated": record.created_at.isoformat(), "issued": issued.issued_at.isoformat()}
        yield Found("challenge_after_run", "challenge.issued.issued_at", facts)
    if found.excerpt_starts != excerpt_starts(issued.nonce):
        yield Found("challenge_excerpt_wrong", "challenge.excerpt_starts")


def _requested(candidate: Candidate, found: Challenge) -> Iterator[Found]:
    """The cell asks what every challenge asks, of the model of the record."""
    record, suite, asked = candidate.record, candidate.suite, found.cell.requested
    if found.cell.cell_id != cell_id(asked):
        yield Found("cell_id_mismatch", f"{_CELL}.cell_id", {"computed": cell_id(asked)})
    if suite is None:
        return
    named = suite.model_copy(update={"model": record.model.name})
    expected = challenge_request(named, record.model.weight_mode, asked.clip_source_sha256)
    for name in Requested.model_fields:
        stated, due = getattr(asked, name), getattr(expected, name)
        if stated != due:
            yield Found(
                "challenge_contradicted",
                f"{_CELL}.requested.{name}",
                {"stated": str(stated), "found": str(due)},
            )


def _outcome(found: Challenge) -> Iterator[Found]:
    cell, status = found.cell, found.cell.outcome.status
    fields = [name for name in _FIGURES if getattr(cell, name)]
    if isinstance(cell.outcome, Predicted):
        fields.append("outcome")
    is_answered = isinstance(cell.outcome, Measured)
    if (cell.effective is not None) is not is_answered:
        fields.append("effective")
    for name in fields:
        yield Found("outcome_contradicted", f"{_CELL}.{name}", {"status": status, "field": name})
    if (found.token_ids is not None) is not is_answered:
        facts: dict[str, Fact] = {"status": status, "field": "token_ids"}
        yield Found("outcome_contradicted", "challenge.token_ids", facts)
    if not is_answered:
        yield Found("challenge_unanswered", f"{_CELL}.outcome", {"status": status})


def _answer(record: Record, found: Challenge) -> Iterator[Found]:
    """The ids that were due, of the model's vocabulary, about the excerpt."""
    asked, heard, ids = found.cell.requested, found.cell.effective, found.token_ids
    if heard is not None and heard.clip_sha256 != asked.clip_source_sha256:
        facts: dict[str, Fact] = {"stated": heard.clip_sha256, "found": asked.clip_source_sha256}
        yield Found("settings_contradicted", f"{_CELL}.effective.clip_sha256", facts)
    if ids is None:
        return
    if len(ids) != asked.max_tokens:
        yield Found(
            "tokens_miscounted", "challenge.token_ids", {"found": len(ids), "asked": asked.max_tokens}
        )
    size = _vocabulary(record)
    foreign = [each for each in ids if size is not None and each >= size]
    if foreign:
        yield Found("challenge_ids_foreign", "challenge.token_ids", {"found": foreign[0], "size": size})


def _vocabulary(record: Record) -> int | None:
    """Return the number of ids of the model; None where it is not known."""
    if record.model.weight_mode is WeightMode.TINY:
        return VOCABULARY
    shapes = released_shapes(record)
    return None if shapes is None else shapes.language_config.vocab_size
