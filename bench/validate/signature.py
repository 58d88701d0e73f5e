"""A bundle as a bundle: its signature, its subject, and the text that its sender added."""

from collections.abc import Iterator

from bench.identity.envelope import Bundle
from bench.store.privacy import revealed
from bench.validate.candidate import Found


def signature(bundle: Bundle) -> Iterator[Found]:
    """Yield what is wrong with a bundle, apart from its record."""
    if not bundle.signature_holds:
        yield Found("signature_invalid", "signatures[0]")
    if not bundle.subject_holds:
        yield Found("subject_mismatch", "subject[0]", {"record_id": bundle.record.record_id})
    for name, text in (("note", bundle.submission.note), ("handle", bundle.submission.handle)):
        kind = revealed(text) if text is not None else None
        if kind is not None:
            yield Found("private_text", f"predicate.{name}", {"kind": kind})
