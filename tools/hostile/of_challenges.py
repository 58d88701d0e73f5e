"""Cases of challenges: stolen nonces, made-up answers, and dates before them."""

from collections.abc import Iterator

from bench.store.canonical import sha256_of
from tests.samples.challenged import IDS, broken_signature
from tools.hostile.case import Case, Document, Edit
from tools.hostile.edits import setting

_SIGNATURE, _EXCERPT = "challenge_signature_invalid", "challenge_excerpt_wrong"


def of_challenges() -> Iterator[Case]:
    """Every case."""
    yield Case("challenge-good", (), 0, "challenged")
    unsigned = setting(challenge__issued__signature=broken_signature())
    yield Case("challenge-unsigned", (_SIGNATURE,), 1, "challenged", edit=unsigned)
    own_nonce = setting(challenge__issued__nonce="f" * 32)
    yield Case("challenge-nonce-chosen", (_SIGNATURE, _EXCERPT), 1, "challenged", edit=own_nonce)
    earlier = setting(challenge__issued__issued_at="2026-01-01T00:00:00Z")
    yield Case("challenge-issued-earlier", (_SIGNATURE,), 1, "challenged", edit=earlier)
    before = setting(created_at="2026-11-01T00:00:00Z")
    yield Case("challenge-after-the-run", ("challenge_after_run",), 1, "challenged", edit=before)
    easy = setting(challenge__excerpt_starts=[0, 0, 0, 0, 0])
    yield Case("challenge-excerpt-chosen", (_EXCERPT,), 1, "challenged", edit=easy)
    yield Case(
        "challenge-prompt-chosen", ("challenge_contradicted",), 1, "challenged", edit=_with_another_prompt
    )
    for name, code, ids in (
        ("long", "tokens_miscounted", [*IDS, 1]),
        ("short", "tokens_miscounted", []),
        ("of-no-vocabulary", "challenge_ids_foreign", [*IDS[:-1], 2**40]),
        ("missing", "outcome_contradicted", None),
    ):
        edit = setting(challenge__token_ids=ids)
        yield Case(f"challenge-answer-{name}", (code,), 1, "challenged", edit=edit)
    yield Case("challenge-answer-negative", (), 2, "challenged", edit=setting(challenge__token_ids=[-1]))
    yield Case("challenge-answer-huge", (), 2, "challenged", edit=setting(challenge__token_ids=[1] * 5000))
    failed = setting(challenge__cell__outcome={"status": "failed", "reason": "no memory"})
    yield Case("challenge-failed-with-answer", ("outcome_contradicted",), 1, "challenged", edit=failed)
    predicted = setting(challenge__cell__outcome={"status": "predicted"})
    yield Case("challenge-predicted", ("outcome_contradicted",), 1, "challenged", edit=predicted)
    yield Case("challenge-measured", ("outcome_contradicted",), 1, "challenged", edit=_measured)
    yield Case("challenge-among-the-cells", ("cell_foreign",), 1, "challenged", edit=_among_the_cells)
    yield Case("challenge-without-cell", (), 2, "challenged", edit=_without("cell"))
    yield Case("challenge-without-nonce", (), 2, "challenged", edit=_without("issued"))
    yield Case("challenge-twice", (), 2, "challenged", edit=_twice)
    other = setting(challenge__cell__effective__clip_sha256="ab" * 32)
    yield Case("challenge-heard-another-clip", ("settings_contradicted",), 1, "challenged", edit=other)


def _with_another_prompt(document: Document) -> None:
    cell = document["challenge"]["cell"]
    cell["requested"]["prompt"] = "Count to thirty-two."
    cell["cell_id"] = sha256_of(cell["requested"])[:16]


def _measured(document: Document) -> None:
    cell = document["cells"][0]
    document["challenge"]["cell"] |= {name: cell[name] for name in ("repeats", "summary", "memory")}


def _among_the_cells(document: Document) -> None:
    document["cells"].append(document["challenge"]["cell"])


def _without(name: str) -> Edit:
    def edit(document: Document) -> None:
        del document["challenge"][name]

    return edit


def _twice(document: Document) -> None:
    document["challenge"] = [document["challenge"], document["challenge"]]
