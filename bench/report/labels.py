"""Codes of a record, as people say them."""

from typing import Final

from bench.judge.same_run import is_published
from bench.records.check import Check
from bench.records.enums import ATTENTION_NAMES, Provenance, Verdict, WeightMode
from bench.records.record import Outcome, Skipped
from bench.report.basics import Status, Tone
from bench.text import MAX_NAME, clean
from bench.wording.outcomes import ended

VERDICTS: Final = {
    Verdict.RUNS: ("Runs", Tone.GOOD),
    Verdict.RUNS_HEADLESS: ("Runs without a desktop", Tone.WARN),
    Verdict.TOO_CLOSE_TO_CALL: ("Too close to call", Tone.WARN),
    Verdict.DOES_NOT_FIT: ("Does not fit", Tone.BAD),
    Verdict.UNSUPPORTED: ("Unsupported", Tone.BAD),
    Verdict.UNKNOWN: ("Unknown", Tone.MUTED),
}

PROVENANCES: Final = {
    Provenance.MEASURED: "measured on this device",
    Provenance.DERIVED: "derived, nothing was run",
    Provenance.EMULATED: "emulated memory limit",
    Provenance.SMOKE: "smoke run",
}

WEIGHTS: Final = {
    WeightMode.HUB: "published weights",
    WeightMode.LOCAL: "local weights",
    WeightMode.RANDOM: "random weights",
    WeightMode.TINY: "tiny model, made-up weights",
}

ATTENTIONS: Final = ATTENTION_NAMES

STATUSES: Final = {
    "measured": ("ran", Tone.GOOD),
    "predicted": ("predicted", Tone.MUTED),
    "out_of_memory": ("out of memory", Tone.BAD),
    "unsupported": ("unsupported", Tone.MUTED),
    "failed": ("failed", Tone.WARN),
    "timeout": ("timed out", Tone.WARN),
    "skipped": ("skipped", Tone.MUTED),
}


def weights(repo: str | None, mode: WeightMode) -> str:
    """`published weights`, `random weights`, `weights of somebody/something`."""
    if mode is WeightMode.HUB and not is_published(mode, repo):
        return clean(f"weights of {repo}", MAX_NAME)
    return WEIGHTS[mode]


def stamp(check: Check) -> tuple[str, Tone]:
    """`measured on this device, random weights`; all but measured with published weights is a warning.

    A prediction is about shapes: whose weights they would be changes nothing, and none were there.
    """
    repo, modes = check.model.repo, check.model.weight_modes
    if check.provenance is Provenance.DERIVED:
        return PROVENANCES[check.provenance], Tone.WARN
    published = all(is_published(mode, repo) for mode in modes)
    plain = check.provenance is Provenance.MEASURED and published
    words = ", ".join(weights(repo, mode) for mode in modes)
    return f"{PROVENANCES[check.provenance]}, {words}", Tone.MUTED if plain else Tone.WARN


def status(outcome: Outcome) -> Status:
    """The outcome of a cell, with its reason and the phase where it happened."""
    word, tone = STATUSES[outcome.status]
    if isinstance(outcome, Skipped) and outcome.cause == "interrupted":
        word = "not run"
    return Status(outcome.status, word, tone, ended(outcome))
