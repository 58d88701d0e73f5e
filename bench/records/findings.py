"""Findings about a record: their codes with the severity of each, and the document that lists them.

`bench.wording.findings` makes the sentence of each code and names what would clear it. To add a finding: add
a code here, its rule in `bench/validate/`, its sentence there.
"""

from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

from pydantic import Field

from bench.records.base import Frozen

FINDINGS_VERSION: Final = "1.0"
"""Schema of the document of findings."""


class Severity(StrEnum):
    """What a finding means for the record."""

    ERROR = "error"
    """It contradicts itself, or what it states is impossible."""
    SUSPICIOUS = "suspicious"
    """It is possible and unusual: a person looks at it."""
    NOTE = "note"
    """A reader should know it; nothing is wrong."""


Code = Literal[
    # the document
    "hash_mismatch",
    "date_in_future",
    "date_before_bench",
    "private_text",
    # the bundle
    "signature_invalid",
    "subject_mismatch",
    # cells and suite
    "suite_unreadable",
    "suite_hash_mismatch",
    "suite_name_mismatch",
    "suite_not_shipped",
    "suite_unknown",
    "suite_own",
    "cell_id_mismatch",
    "cell_doubled",
    "cell_missing",
    "cell_foreign",
    # the challenge
    "challenge_signature_invalid",
    "challenge_after_run",
    "challenge_excerpt_wrong",
    "challenge_contradicted",
    "challenge_ids_foreign",
    "challenge_unanswered",
    # repeats and summaries
    "outcome_contradicted",
    "repeats_missing",
    "repeats_too_many",
    "tokens_miscounted",
    "times_disordered",
    "times_do_not_add_up",
    "summary_mismatch",
    "label_missing",
    "label_contradicted",
    # what is claimed
    "provenance_contradicted",
    "model_contradicted",
    "configuration_not_shipped",
    "settings_contradicted",
    "kernels_contradicted",
    "card_contradicted",
    "card_not_catalogued",
    "card_revised",
    # physics
    "work_mismatch",
    "decode_above_bandwidth",
    "decode_near_bandwidth",
    "rate_above_card",
    "rate_near_card",
    "memory_disordered",
    "memory_below_weights",
    "memory_above_card",
    "power_above_limit",
    "energy_above_power",
    "energy_below_idle",
    "reading_impossible",
    "reading_unusual",
    # statistics
    "repeats_copied",
    "cells_copied",
    "repeats_stretched",
    "spread_absurd",
    "spread_too_small",
    "samples_missing",
    # against others
    "outside_prediction",
    "outlier_of_card",
]
"""Codes of findings. A code never changes its meaning."""

_SUSPICIOUS: Final = frozenset[Code](
    {
        "configuration_not_shipped",
        "decode_near_bandwidth",
        "rate_near_card",
        "energy_below_idle",
        "reading_unusual",
        "repeats_stretched",
        "spread_absurd",
        "spread_too_small",
        "samples_missing",
        "outside_prediction",
        "outlier_of_card",
    }
)
_NOTES: Final = frozenset[Code](
    {"suite_own", "suite_unknown", "challenge_unanswered", "card_not_catalogued", "card_revised"}
)


def severity_of(code: Code) -> Severity:
    """Return the severity of a code: the same for each finding of it."""
    if code in _NOTES:
        return Severity.NOTE
    return Severity.SUSPICIOUS if code in _SUSPICIOUS else Severity.ERROR


class Finding(Frozen):
    """One finding about a record."""

    code: Code
    severity: Severity
    path: str = Field(
        description="JSON path in the record, such as $.cells[3].summary.latency_s.median; of a bundle "
        "$.signatures in the envelope, $.subject and $.predicate in the statement"
    )
    facts: dict[str, float | int | str | None] = Field(
        description="the numbers and names that the sentence uses; bytes, seconds, watts and joules as named"
    )
    sentence: str
    remedy: str = Field(description="what would clear it")


class RecordFindings(Frozen):
    """The findings about one file."""

    file: str = Field(description="as it was named")
    record_id: str | None = Field(description="null where the file is no record")
    content_hash: str | None
    refusal: str | None = Field(default=None, description="why the file is no record; null where it is one")
    findings: tuple[Finding, ...]

    def count(self, severity: Severity) -> int:
        """Return the number of findings of a severity."""
        return sum(finding.severity is severity for finding in self.findings)


class FindingsDocument(Frozen):
    """The output of `bench validate --json`."""

    schema_version: Literal["1.0"] = FINDINGS_VERSION
    files: tuple[RecordFindings, ...]


SEVERITY_ORDER: Final = MappingProxyType({severity: place for place, severity in enumerate(Severity)})
"""Errors first."""
