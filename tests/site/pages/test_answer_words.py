"""The four answers in words."""

from datetime import UTC, datetime

import pytest

from bench.report.basics import Tone
from bench.site.interface import MOST_COUNTED, Identity, Plausible, Reproduction, Signature
from bench.site.pages.answer_words import AnswerWords, four_answers, shared_answers
from tests.identity.signers import URL
from tests.site.pages.samples import KEY, answers, finding


def words(**given: object) -> dict[str, AnswerWords]:
    """The answers by name."""
    return {each.name: each for each in four_answers(answers(**given))}  # type: ignore[arg-type]


def test_a_record_has_four_answers_and_none_of_them_is_a_badge_for_all() -> None:
    found = words()
    assert list(found) == ["Integrity", "Identity", "Plausibility", "Reproduction"]
    assert [each.word for each in found.values()] == [
        "signed",
        f"key {KEY[:16]}",
        "plausible",
        "not reproduced",
    ]


@pytest.mark.parametrize(
    ("signature", "holds", "word"),
    [
        (Signature.UNSIGNED, True, "unsigned"),
        (Signature.BROKEN, True, "signature broken"),
        (Signature.SIGNED, False, "changed"),
    ],
)
def test_integrity_is_good_only_if_everything_holds(signature: Signature, holds: bool, word: str) -> None:
    found = words(signature=signature, hash_holds=holds)["Integrity"]
    assert found.word == word
    assert found.tone is not Tone.GOOD


def test_an_unconfirmed_key_is_never_shown_as_good_and_says_since_when() -> None:
    given = answers().model_copy(
        update={"identity": Identity(key_id=KEY, first_seen=datetime(2026, 5, 4, tzinfo=UTC))}
    )
    found = four_answers(given)[1]
    assert found.tone is Tone.WARN
    assert found.found == "Unconfirmed. The key's first record here: 2026-05-04."
    assert words(key_id=None)["Identity"].word == "no key"


CONFIRMED = Identity(
    key_id=KEY,
    first_seen=datetime(2026, 5, 4, tzinfo=UTC),
    account="github.com/ada",
    account_url=URL,
    confirmed_at=datetime(2026, 5, 6, tzinfo=UTC),
)


def test_a_confirmed_key_shows_its_account_with_the_file_that_confirms_it() -> None:
    found = four_answers(answers().model_copy(update={"identity": CONFIRMED}))[1]
    assert (found.word, found.tone, found.href) == ("github.com/ada", Tone.GOOD, URL)
    assert found.found == (
        f"The account confirmed the key {KEY[:16]} on 2026-05-06. The key's first record here: 2026-05-04."
    )


def test_a_revoked_key_is_shown_as_bad_with_the_reason() -> None:
    revoked = Identity(key_id=KEY, first_seen=None, revoked="Stolen")
    found = four_answers(answers().model_copy(update={"identity": revoked}))[1]
    assert (found.word, found.tone, found.found) == (
        f"key {KEY[:16]}",
        Tone.BAD,
        "The key was revoked: Stolen",
    )


def test_the_accounts_of_several_records_are_named() -> None:
    def of(*names: str) -> str:
        every = [
            answers().model_copy(
                update={
                    "identity": CONFIRMED.model_copy(update={"key_id": name, "account": f"{name}.example"})
                }
            )
            for name in names
        ]
        return shared_answers([*every, answers()])[1].found

    assert of("ada") == "1 of them confirmed, by ada.example."
    assert of("bob", "ada", "eve") == "3 of them confirmed, by ada.example, bob.example and eve.example."
    assert of(*"edcba") == "5 of them confirmed, by a.example, b.example, c.example and 2 more."


def test_plausibility_counts_findings_of_each_severity() -> None:
    findings = (finding("decode_near_bandwidth", ratio=0.9), finding("suite_own", name="mine"))
    found = words(plausible=Plausible.HELD, findings=findings)["Plausibility"]
    assert found.found == "1 suspicious finding, 1 note."
    assert words()["Plausibility"].found == "The validator has no finding."


def test_keys_that_are_free_do_not_reproduce() -> None:
    many = Reproduction(confirmed=0, unconfirmed=MOST_COUNTED, cards=1, disagreeing=0)
    found = words(reproduction=many)["Reproduction"]
    assert found.word == "20 or more unconfirmed keys agree"
    assert found.tone is Tone.WARN
    assert found.found.startswith("0 confirmed identities and 20 or more unconfirmed keys agree, on 1 other ")


def test_disagreement_is_shown_as_such() -> None:
    found = words(reproduction=Reproduction(confirmed=0, unconfirmed=1, cards=None, disagreeing=4))
    assert found["Reproduction"].word == "4 others disagree"
    assert found["Reproduction"].tone is Tone.BAD
    one = words(reproduction=Reproduction(confirmed=1, unconfirmed=0, cards=1, disagreeing=0))
    assert one["Reproduction"].tone is Tone.GOOD


def test_figures_of_several_records_have_four_answers_too() -> None:
    alone = answers(key_id=None, signature=Signature.UNSIGNED, plausible=Plausible.HELD)
    agreed = answers(reproduction=Reproduction(confirmed=0, unconfirmed=2, cards=1, disagreeing=1))
    found = shared_answers([agreed, agreed, alone])
    assert [(each.name, each.word) for each in found] == [
        ("Integrity", "2 of 3 signed"),
        ("Identity", "1 key"),
        ("Plausibility", "2 of 3 plausible"),
        ("Reproduction", "0 of 3 reproduced"),
    ]
    assert found[1].found == "0 of them confirmed."
    assert found[3].found == "Unconfirmed keys agree with 2 of 3. Others disagree with 2 of 3."
    assert not any(each.tone is Tone.GOOD for each in found)


def test_without_records_there_are_no_answers() -> None:
    assert shared_answers([]) == ()
