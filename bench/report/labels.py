"""Codes of a record, as people say them."""

from typing import Final

from bench.judge.same_run import is_published
from bench.records.enums import ATTENTION_NAMES, Provenance, Verdict, WeightMode
from bench.records.record import ModelInfo, Outcome, Skipped
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


def weights(model: ModelInfo) -> str:
    """`published weights`, `random weights`, `weights of somebody/something`."""
    if model.weight_mode is WeightMode.HUB and not is_published(model.weight_mode, model.repo):
        return clean(f"weights of {model.repo}", MAX_NAME)
    return WEIGHTS[model.weight_mode]


def stamp(provenance: Provenance, model: ModelInfo) -> tuple[str, Tone]:
    """`measured on this device, random weights`; all but measured with published weights is a warning.

    A prediction is about shapes: whose weights they would be changes nothing, and none were there.
    """
    if provenance is Provenance.DERIVED:
        return PROVENANCES[provenance], Tone.WARN
    plain = provenance is Provenance.MEASURED and is_published(model.weight_mode, model.repo)
    return f"{PROVENANCES[provenance]}, {weights(model)}", Tone.MUTED if plain else Tone.WARN


def status(outcome: Outcome) -> Status:
    """The outcome of a cell, with its reason and the phase where it happened."""
    word, tone = STATUSES[outcome.status]
    if isinstance(outcome, Skipped) and outcome.cause == "interrupted":
        word = "not run"
    return Status(outcome.status, word, tone, ended(outcome))
