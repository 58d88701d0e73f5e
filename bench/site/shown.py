"""What the site repeats of a record that it does not show: no text that its sender could choose."""

from typing import Final

from bench.check.summary import RecordHead
from bench.hardware.catalog import name_of
from bench.records.check import Software
from bench.records.findings import Code, Finding
from bench.site.interface import SHOWN, State
from bench.site.states import Opened
from bench.wording.findings import sentence

_LEFT_OUT: Final = "…"
_QUOTING: Final[frozenset[Code]] = frozenset(
    {
        "card_contradicted",
        "card_not_catalogued",
        "challenge_contradicted",
        "model_contradicted",
        "settings_contradicted",
        "subject_mismatch",
        "suite_name_mismatch",
        "suite_not_shipped",
        "suite_own",
        "suite_unknown",
    }
)
"""Findings with texts of the record among their facts."""
_NO_SOFTWARE: Final = Software(
    bench_version="", bench_commit=None, python="", torch=None, transformers=None, driver=None, os=""
)


def shown_head(one: Opened) -> RecordHead:
    """Return the head; of a record that is not shown with the catalog's name of the card, or its slug."""
    head, judged = one.head, one.judged
    if one.state in SHOWN:
        return head
    name = name_of(head.device.slug) or head.device.slug
    return head.model_copy(
        update={
            "suite": "",
            "software": _NO_SOFTWARE,
            "elsewhere": None,
            "challenge": None,
            "caveats": (),
            "model": head.model.model_copy(update={"repo": None, "revision": None}),
            "device": head.device.model_copy(update={"name": name, "compute_capability": None}),
            "judged": judged.model_copy(update={"handle": None, "note": None, "findings": ()}),
        }
    )


def shown_findings(one: Opened) -> tuple[Finding, ...]:
    """Return the findings about a record; those of a refused one do not quote it, others have none."""
    if one.state in SHOWN:
        return one.findings
    return tuple(map(_unquoted, one.findings)) if one.state is State.REFUSED else ()


def _unquoted(finding: Finding) -> Finding:
    if finding.code not in _QUOTING:
        return finding
    facts = {name: _LEFT_OUT if isinstance(value, str) else value for name, value in finding.facts.items()}
    return finding.model_copy(
        update={"facts": facts, "sentence": sentence(finding.code, facts, finding.path)}
    )
