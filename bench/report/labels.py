"""Codes of a record with their tones, and the stamp of provenance and weights."""

from collections.abc import Mapping
from typing import Final

from bench.judge.same_run import is_published
from bench.records.cell import Outcome, Skipped
from bench.records.check import Check
from bench.records.enums import Provenance, Verdict, WeightMode
from bench.report.basics import Status, Tone
from bench.text import MAX_NAME, clean
from bench.wording.labels import PROVENANCES, STATUSES, WEIGHTS, system
from bench.wording.outcomes import ended

VERDICT_TONES: Final = {
    Verdict.RUNS: Tone.GOOD,
    Verdict.RUNS_HEADLESS: Tone.WARN,
    Verdict.TOO_CLOSE_TO_CALL: Tone.WARN,
    Verdict.DOES_NOT_FIT: Tone.BAD,
    Verdict.UNSUPPORTED: Tone.BAD,
    Verdict.UNKNOWN: Tone.MUTED,
}

STATUS_TONES: Final[Mapping[str, Tone]] = {
    "measured": Tone.GOOD,
    "predicted": Tone.MUTED,
    "out_of_memory": Tone.BAD,
    "unsupported": Tone.MUTED,
    "failed": Tone.WARN,
    "timeout": Tone.WARN,
    "skipped": Tone.MUTED,
}


def weights(repo: str | None, mode: WeightMode) -> str:
    """`published weights`, `random weights`, `weights of somebody/something`."""
    if mode is WeightMode.HUB and not is_published(mode, repo):
        return clean(f"weights of {repo}", MAX_NAME)
    return WEIGHTS[mode]


def stamp(check: Check) -> tuple[str, Tone]:
    """`measured on this device, random weights`; a warning unless measured with published weights.

    A prediction names no weights: it depends on their shapes alone. It names the system that it is for, where
    the document has one.
    """
    repo, modes = check.model.repo, check.model.weight_modes
    if check.provenance is Provenance.DERIVED:
        systems = {row.system for row in check.rows}
        only = systems.pop() if len(systems) == 1 else None
        suffix = "" if only is None else f", for {system(only)}"
        return f"{PROVENANCES[check.provenance]}{suffix}", Tone.WARN
    published = all(is_published(mode, repo) for mode in modes)
    plain = check.provenance is Provenance.MEASURED and published
    words = ", ".join(weights(repo, mode) for mode in modes)
    return f"{PROVENANCES[check.provenance]}, {words}", Tone.MUTED if plain else Tone.WARN


def status(outcome: Outcome) -> Status:
    """The outcome of a cell in words, with its reason and its phase."""
    word, tone = STATUSES[outcome.status], STATUS_TONES[outcome.status]
    if isinstance(outcome, Skipped) and outcome.cause == "interrupted":
        word = "not run"
    return Status(outcome.status, word, tone, ended(outcome))
