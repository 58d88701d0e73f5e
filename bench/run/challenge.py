"""A challenge in the plan of a run: its excerpt, its cell, and whether this run can answer it."""

from datetime import datetime

from bench.errors import UsageError
from bench.identity.challenge import signature_holds
from bench.judge.challenge import CLOCKS_DIFFER
from bench.records.enums import WeightMode
from bench.records.record import ChallengeRequest, CheckedAnswer, Record
from bench.run.run_spec import Plan
from bench.store.journal import PlannedCell, PlannedChallenge
from bench.suite.cells import cell_id
from bench.suite.challenge import PIECE_SAMPLES, challenge_request, excerpt_starts
from bench.units import seconds


def planned_challenge(asked: ChallengeRequest, plan: Plan) -> PlannedChallenge:
    """Return a challenge with its cell, for a run of this plan.

    Raises:
        ClipError: the shipped speech was changed.
    """
    from bench.audio import clips

    starts = excerpt_starts(asked.issued.nonce)
    heard = clips.sha256_of(clips.excerpt(starts, PIECE_SAMPLES))
    requested = challenge_request(plan.suite, plan.origin.weight_mode, heard)
    cell = PlannedCell(cell_id=cell_id(requested), requested=requested)
    return PlannedChallenge(issued=asked.issued, checks=asked.checks, excerpt_starts=starts, cell=cell)


def check_of(record: Record, name: str) -> ChallengeRequest:
    """Return the challenge of a record, to be answered again. `name`: of its file, for errors.

    Raises:
        UsageError: the record has no challenge, none whose signature holds, or no answer to it.
    """
    challenge = record.challenge
    if challenge is None:
        raise UsageError(f"{name}: the record has no challenge", hint="Name one of a run with --challenge")
    if challenge.token_ids is None:
        raise UsageError(
            f"{name}: its challenge has no answer ({challenge.cell.outcome.status})",
            hint="Name a record whose challenge was answered",
        )
    if not signature_holds(challenge.issued):
        raise UsageError(
            f"{name}: the signature of its challenge does not hold",
            hint="This run could not be validated: bench validate says more about that record",
        )
    checks = CheckedAnswer(content_hash=record.content_hash, token_ids=challenge.token_ids)
    return ChallengeRequest(issued=challenge.issued, checks=checks)


def require_same_model(record: Record, plan: Plan) -> None:
    """Check that an answer of this run can say something about that of a record.

    Raises:
        UsageError: it is of another model, or the weights of either are random.
    """
    theirs, ours = record.model, plan.origin
    is_local = WeightMode.LOCAL in {theirs.weight_mode, ours.weight_mode}  # then the name is that of a folder
    if not is_local and (theirs.name, theirs.weight_mode) != (ours.name, ours.weight_mode):
        raise UsageError(
            f"the challenge was answered by {theirs.name} ({theirs.weight_mode} weights), and this run has "
            f"{ours.name} ({ours.weight_mode} weights)",
            hint="Choose suite, model and weights of that record: --suite, --model, --weights",
        )


def require_clock(asked: ChallengeRequest, now: datetime) -> None:
    """Check that this run will not be dated before its challenge.

    Raises:
        UsageError: the clock of this computer is behind that of the site.
    """
    behind = asked.issued.issued_at - now
    if behind > CLOCKS_DIFFER:
        raise UsageError(
            f"the clock of this computer is {seconds(behind.total_seconds())} behind that of the site",
            hint="Set the clock: the record would be dated before its challenge",
        )
