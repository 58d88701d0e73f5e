"""All rules over one record, as a list of findings in words."""

from collections.abc import Callable, Iterator
from math import isfinite
from typing import Final

from bench.records.findings import SEVERITY_ORDER, Finding, severity_of
from bench.validate.attention_kernels import attention_kernels
from bench.validate.candidate import Candidate, Fact, Found
from bench.validate.challenge import challenge
from bench.validate.claims import claims
from bench.validate.clip_samples import clip_samples
from bench.validate.contents import contents
from bench.validate.copies import copies
from bench.validate.physics import physics
from bench.validate.privacy import privacy
from bench.validate.repeats import repeats
from bench.validate.series import series
from bench.validate.summaries import summaries
from bench.wording.findings import remedy, sentence

Rule = Callable[[Candidate], Iterator[Found]]
RULES: Final[tuple[Rule, ...]] = (
    contents,
    claims,
    attention_kernels,
    clip_samples,
    challenge,
    repeats,
    summaries,
    physics,
    copies,
    series,
    privacy,
)
MOST_OF_A_CODE: Final = 20
"""Of one code the first so many findings are listed: a file could demand any number."""


def findings(candidate: Candidate, *more: Rule) -> tuple[Finding, ...]:
    """Return the findings of all rules, and of `more`, errors first, in the order of the record."""
    found: list[Finding] = []
    counts: dict[str, int] = {}
    for rule in (*RULES, *more):
        for each in rule(candidate):
            counts[each.code] = counts.get(each.code, 0) + 1
            if counts[each.code] <= MOST_OF_A_CODE:
                found.append(finding(each))
    return tuple(sorted(found, key=lambda each: SEVERITY_ORDER[each.severity]))


def finding(found: Found) -> Finding:
    """Put a finding into words."""
    facts = {name: _finite(value) for name, value in found.facts.items()}
    return Finding(
        code=found.code,
        severity=severity_of(found.code),
        path=f"$.{found.path}",
        facts=facts,
        sentence=sentence(found.code, facts, found.path),
        remedy=remedy(found.code),
    )


def _finite(value: Fact) -> Fact:
    """JSON has no infinity: a quotient of extreme figures is one, and becomes text."""
    return str(value) if isinstance(value, float) and not isfinite(value) else value
