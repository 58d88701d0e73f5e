"""The sentence of each finding, and what would clear it."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from bench import units
from bench.records.findings import Code, Severity
from bench.text import clean

SEVERITIES: Final[dict[Severity, tuple[str, str]]] = {
    Severity.ERROR: ("error", "errors"),
    Severity.SUSPICIOUS: ("suspicious finding", "suspicious findings"),
    Severity.NOTE: ("note", "notes"),
}
"""One and several."""

_RUN_AGAIN: Final = "Run the suite again and send the file that it writes, unchanged"
_EXPLAIN: Final = "Say in a note how it came about, or run the cell again"
_NOTHING: Final = "Nothing is needed"


class _Words(NamedTuple):
    sentence: str
    remedy: str = _RUN_AGAIN


_WORDS: Final[dict[Code, _Words]] = {
    "hash_mismatch": _Words("The content differs from what was hashed: the file was changed"),
    "date_in_future": _Words("The date {stated} is in the future", "Set the clock and run again"),
    "date_before_bench": _Words("The date {stated} is before the first bench", "Set the clock and run again"),
    "private_text": _Words(
        "A text contains {kind}, which nobody should publish",
        "Leave it out of the note and the handle; if it is in the record, run again",
    ),
    "signature_invalid": _Words(
        "The key in the bundle did not make the signature", "Make the bundle again: bench submit"
    ),
    "subject_mismatch": _Words(
        "The statement is about another record than {record_id}, which is in it",
        "Make the bundle again: bench submit",
    ),
    "suite_unreadable": _Words("The definition of the suite cannot be read"),
    "suite_hash_mismatch": _Words("The hash of the suite is not that of its definition"),
    "suite_name_mismatch": _Words("The suite is called {stated}, its definition {defined}"),
    "suite_not_shipped": _Words(
        "The suite is said to be the shipped {name}, but {key} differs and is not among the overrides"
    ),
    "suite_unknown": _Words("This bench does not ship version {version} of {name}", _NOTHING),
    "suite_own": _Words("{name} is not a shipped suite: compare it only with records of its hash", _NOTHING),
    "cell_id_mismatch": _Words("The id of the cell is not the hash of its request, {computed}"),
    "cell_doubled": _Words("Cell {cell_id} is there more than once"),
    "cell_missing": _Words("{count} cells of the suite are missing"),
    "cell_foreign": _Words("Cell {cell_id} is not a cell of this suite"),
    "challenge_signature_invalid": _Words("The key in the challenge did not make its signature"),
    "challenge_after_run": _Words(
        "The run began at {stated}, and its challenge was issued at {issued}, after that",
        "Set the clock and run again",
    ),
    "challenge_excerpt_wrong": _Words("The excerpt does not follow from the nonce of the challenge"),
    "challenge_contradicted": _Words("The challenge cell asks for {stated}, where {found} is due"),
    "challenge_ids_foreign": _Words("The token id {found} is none of the {size} ids of the model"),
    "challenge_unanswered": _Words("The challenge has no answer ({status})", _NOTHING),
    "outcome_contradicted": _Words("A cell with the outcome {status} contradicts its {field}"),
    "repeats_missing": _Words("{found} repeats, where the suite measures at least {least}"),
    "repeats_too_many": _Words("{found} repeats, where the suite measures at most {most}"),
    "tokens_miscounted": _Words("{found} tokens, where {asked} were due"),
    "times_disordered": _Words("The times are not in order"),
    "times_do_not_add_up": _Words("It is {stated}, and the raw times give {computed}"),
    "summary_mismatch": _Words("The summary states {stated}, the raw values give {computed}"),
    "label_missing": _Words("The label {label} is missing"),
    "label_contradicted": _Words("No run on this system writes the label {label}"),
    "provenance_contradicted": _Words("The provenance {stated} contradicts the record: {reason}"),
    "model_contradicted": _Words("The record states {stated}, this model has {found}"),
    "configuration_not_shipped": _Words(
        "The configuration is not the one that bench ships for {name}",
        "Run the published weights again, or say in a note which configuration it is",
    ),
    "settings_contradicted": _Words("In force was {stated}, the request gives {found}"),
    "kernels_contradicted": _Words("The kernels contradict the record: {reason}"),
    "card_contradicted": _Words("The record states {stated}, the catalog {found}"),
    "card_not_catalogued": _Words("{name} is not in the catalog yet", _NOTHING),
    "card_revised": _Words(
        "Another bench wrote {stated} for this card, and the catalog now has {found}", _NOTHING
    ),
    "work_mismatch": _Words("The count is {stated}, the architecture gives {computed}"),
    "decode_above_bandwidth": _Words(
        "Decoding would read {ratio} times what the card's memory bandwidth allows"
    ),
    "decode_near_bandwidth": _Words("Decoding reads {ratio} of the card's memory bandwidth", _EXPLAIN),
    "rate_above_card": _Words("It would compute at {ratio} times the card's BF16 rate"),
    "rate_near_card": _Words("It computes at {ratio} times the card's BF16 rate", _EXPLAIN),
    "memory_disordered": _Words("The peak is {low_bytes}, less than the {high_bytes} that it contains"),
    "memory_below_weights": _Words("The peak of {found_bytes} is less than the weights, {least_bytes}"),
    "memory_above_card": _Words("The peak of {found_bytes} is more than the card has, {most_bytes}"),
    "power_above_limit": _Words("The power of {found_w} is far above the limit of {limit_w}"),
    "energy_above_power": _Words("The energy of {found_j} is more than {limit_w} give in {took_s}"),
    "energy_below_idle": _Words(
        "The energy of {found_j} in {took_s} is less than an idle card takes", _EXPLAIN
    ),
    "reading_impossible": _Words("No driver reports {found} here"),
    "reading_unusual": _Words("This reading is unusual", _EXPLAIN),
    "repeats_copied": _Words("The repeat has the times of repeat {other}, to the microsecond"),
    "cells_copied": _Words("A repeat or all of them have times of {other}, to the microsecond"),
    "repeats_stretched": _Words(
        "The token times are those of {other} by one factor and one offset, to 2 microseconds", _EXPLAIN
    ),
    "spread_absurd": _Words("The repeats vary by {cv} of their mean", _EXPLAIN),
    "spread_too_small": _Words("The repeats vary by {cv} of their mean, less than any machine", _EXPLAIN),
    "samples_missing": _Words("Too few samples of the driver, or a long gap between two", _EXPLAIN),
    "outside_prediction": _Words(
        "The measured {found_bytes} is outside the predicted {low_bytes} to {high_bytes}", _EXPLAIN
    ),
    "outlier_of_card": _Words(
        "The median {found} is {ratio} times that of {records} other records of this card", _EXPLAIN
    ),
}


_RATIOS: Final = frozenset({"ratio", "cv"})
_OF_THE_PATH: Final = frozenset({"stated", "found", "computed"})
"""Facts that are values of the figure at the path."""
_ROUNDED: Final = frozenset[Code]({"outlier_of_card"})
"""Findings whose values are far from each other."""
_SYMBOLS: Final = {
    "tokens_per_s": "tok/s",
    "bytes_per_s": "bytes/s",
    "operations_per_s": "operations/s",
    "bytes_per_token": "bytes",
    "_bytes": "bytes",
    "_operations": "operations",
    "_s": "s",
    "_j": "J",
    "_w": "W",
    "_mhz": "MHz",
    "_c": "°C",
}
"""By the end of the name of a figure."""
_WITHOUT_UNIT: Final = frozenset({"cv", "n", "kind"})
"""Parts of a statistic that do not have the unit of its metric."""
_QUANTITIES: Final = {"tok/s": units.Unit.TOKENS_PER_S, "s": units.Unit.SECONDS, "bytes": units.Unit.BYTES}


def sentence(code: Code, facts: Mapping[str, float | int | str | None], path: str = "") -> str:
    """Return the sentence of a finding, with its full stop.

    `path`: of the finding. A fact whose name has no unit has that of the figure there.
    """
    unit = _unit(path)
    shown = {name: _shown(code, name, value, unit) for name, value in facts.items()}
    return f"{_WORDS[code].sentence.format_map(shown)}."


def template(code: Code) -> str:
    """Return the sentence of a code, its facts in braces."""
    return _WORDS[code].sentence


def remedy(code: Code) -> str:
    """Return what would clear a finding."""
    return f"{_WORDS[code].remedy}."


def _shown(code: Code, name: str, value: float | int | str | None, unit: str) -> str:
    """A fact in its unit, by the end of its name. Text is from the file: it is cleaned."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return clean(value)
    if name.endswith("_bytes"):
        return units.gib(round(value))
    for end, symbol in (("_w", "W"), ("_j", "J")):
        if name.endswith(end):
            return units.rate(value, symbol)
    if name.endswith("_s"):
        return units.seconds(value)
    if name in _RATIOS:
        return units.ratio(value)
    if name in _OF_THE_PATH and code in _ROUNDED:
        return units.quantity(value, _QUANTITIES.get(unit, units.Unit.SHARE))
    exact = f"{value:,}" if isinstance(value, int) else f"{value:.6g}"  # two values that differ look so
    return f"{exact} {unit if name in _OF_THE_PATH else ''}".rstrip()


def _unit(path: str) -> str:
    """Return the symbol of the unit of the figure at a path such as `$.cells[3].summary.latency_s.median`."""
    *parents, last = path.split(".")
    if last in _WITHOUT_UNIT:
        return ""
    for name in (last, *reversed(parents)):
        for end, symbol in _SYMBOLS.items():
            if name.split("[")[0].endswith(end):
                return symbol
    return ""
