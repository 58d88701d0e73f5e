"""A bundle that comes in, judged as everybody can judge it: refused, or ready to be stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bench.check.group import GroupKey
from bench.errors import RecordError
from bench.receiver.states import State
from bench.records.enums import Provenance
from bench.records.findings import Finding, Severity
from bench.store.cycles import without_search_for_cycles
from bench.validate.contents import in_future
from bench.validate.document import finding
from bench.validate.reading import judged_content

_NAME: Final = "the bundle"


class RefusedError(Exception):
    """Nothing is stored. Never leaves `bench.receiver`: its sender sees title and findings."""

    def __init__(self, title: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(title)
        self.title = title
        self.findings = tuple(findings)


@dataclass(frozen=True, slots=True)
class Judged:
    """A bundle without errors. `state`: VALID, or HELD with the `reason` for which a person looks at it."""

    content: bytes
    content_hash: str
    key_id: str
    model: str
    slug: str
    handle: str | None
    note: str | None
    findings: tuple[Finding, ...]
    state: State
    reason: str | None


def judge(content: bytes, now: datetime) -> Judged:
    """Judge the bytes of a bundle. Its sender's clock is compared with `now`.

    Raises:
        RefusedError: they are no bundle, or have errors.
    """
    try:
        with without_search_for_cycles():
            head = judged_content(content, _NAME).head
    except RecordError as error:
        raise RefusedError(error.message) from error
    judged = head.judged
    if judged is None or judged.key_id is None:
        raise RefusedError("the record has no signature: bench submit signs it")
    if head.provenance is Provenance.DERIVED:
        raise RefusedError("a prediction is not received: the site computes its own")
    findings = (*map(finding, in_future(head.created_at, now)), *judged.findings)
    if any(each.severity is Severity.ERROR for each in findings):
        raise RefusedError("the record has errors", findings)
    model, slug = GroupKey.of(head).folder
    reason = _reason_to_hold(findings, judged.handle, judged.note)
    return Judged(
        content=content,
        content_hash=head.hash,
        key_id=judged.key_id,
        model=model,
        slug=slug,
        handle=judged.handle,
        note=judged.note,
        findings=findings,
        state=State.VALID if reason is None else State.HELD,
        reason=reason,
    )


def _reason_to_hold(findings: Sequence[Finding], handle: str | None, note: str | None) -> str | None:
    if any(each.severity is Severity.SUSPICIOUS for each in findings):
        return "a finding is suspicious"
    words = [name for name, text in (("handle", handle), ("note", note)) if text is not None]
    return f"a person reads the {' and the '.join(words)} first" if words else None
