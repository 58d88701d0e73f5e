"""What the pages of the site show: types between reading the results and rendering pages.

Every text in them is cleaned (`bench.text.clean`); a renderer still escapes for its syntax. Nothing in them
depends on the clock, on the folder's place or on the order of reading.
"""

from enum import StrEnum
from typing import Final

from pydantic import Field

from bench.check.summary import RecordHead
from bench.records.base import Frozen, PathName, Sha256, Slug, Utc
from bench.records.check import Check
from bench.records.enums import WeightMode
from bench.records.findings import Finding
from bench.report.overview import Entry as OverviewRow

# --- four answers -----------------------------------------------------------------------------------------


class Signature(StrEnum):
    """Whether the file is signed."""

    SIGNED = "signed"
    UNSIGNED = "unsigned"
    BROKEN = "broken"
    """There is a signature, and it does not hold."""


class Integrity(Frozen):
    """Whether the file is what was written and sent."""

    signature: Signature
    hash_holds: bool


class Identity(Frozen):
    """Who signed: a key, which is free, and the account that confirms it, if one does."""

    key_id: str | None = Field(description="null: unsigned")
    first_seen: Utc | None = Field(
        description="when the first record of the key was committed; null where no history says it"
    )
    account: str | None = Field(default=None, description="that confirms the key; null: none does")
    account_url: str | None = Field(default=None, description="of the file with which it does")
    confirmed_at: Utc | None = None
    revoked: str | None = Field(default=None, description="reason for which the key was revoked")

    @property
    def is_confirmed(self) -> bool:
        """Whether an account confirms the key."""
        return self.account is not None


class Plausible(StrEnum):
    """What the validator found."""

    PLAUSIBLE = "plausible"
    HELD = "held"
    """Something is suspicious."""
    REFUSED = "refused"
    """There are errors."""


class Plausibility(Frozen):
    """The validator's answer, with the number of findings of each severity."""

    answer: Plausible
    errors: int
    suspicious: int
    notes: int


class Reproduction(Frozen):
    """How many others measured the same within noise: of the figure that fewest confirmed ones agree with.

    Counting stops at `MOST_COUNTED`: one record more then leaves the pages of many others as they are.
    Ids are of that figure, at most `MOST_LINKS` of each kind, the nearest and the farthest values.
    """

    confirmed: int = Field(description="distinct others that agree, by the holders of their accounts")
    unconfirmed: int = Field(description="distinct other keys without an account that agree")
    cards: int | None = Field(description="distinct other machines that agree; null where not known")
    disagreeing: int = Field(description="distinct others of both kinds that do not, in the worst figure")
    agreeing_ids: tuple[str, ...] = ()
    disagreeing_ids: tuple[str, ...] = ()


MOST_COUNTED: Final = 20
"""A count of others that is this means so many or more."""
MOST_LINKS: Final = 20


class Answers(Frozen):
    """The four answers about a record. Nobody sets one by hand."""

    integrity: Integrity
    identity: Identity
    plausibility: Plausibility
    reproduction: Reproduction


# --- records ----------------------------------------------------------------------------------------------


class State(StrEnum):
    """What the site does with a record."""

    PUBLISHED = "published"
    """Its figures count."""
    HELD = "held"
    """Suspicious, or of a revoked key: shown with its numbers, in no median."""
    REFUSED = "refused"
    """It has errors: its page lists the findings and no figures; no other page names a figure."""
    REPLAYED = "replayed"
    """The same content or repeats came first in another file: `keeper` is the entry of that."""
    WITHDRAWN = "withdrawn"
    """A tombstone with `reason`, and no figures."""


SHOWN: Final = frozenset({State.PUBLISHED, State.HELD})
"""States of the records whose figures and texts are on pages and in tables."""


class Apart(StrEnum):
    """Why a record never counts among measurements of published weights on real cards."""

    SMOKE = "smoke"
    EMULATED = "emulated"
    LOCAL = "local"
    """Weights from a folder: nobody else knows which."""
    RANDOM = "random"
    PREDICTION = "prediction"
    """The site computes its own."""


class NonceRole(StrEnum):
    """What another record with the nonce of a record is to it."""

    CHECKS = "checks"
    """It states that it checks this record's answer."""
    CHECKED = "checked"
    """This record states that it checks its answer."""
    SAME_KEY = "same_key"
    OTHER_CHECK = "other_check"
    """One of the two states that it checks a third one."""
    UNDECLARED = "undeclared"
    """It is of another key, and neither says why they have one nonce."""


class SameNonce(Frozen):
    """Another record with the nonce of a record."""

    id: str
    key_id: str | None
    account: str | None = Field(description="that confirms the key; null: none does")
    role: NonceRole
    weight_mode: WeightMode
    agreeing: int | None = Field(
        description="token ids that are equal, from the first on; null: no answer, or other weights"
    )
    count: int = Field(description="token ids of the longer answer")


class Freshness(Frozen):
    """What the records of a site say about the challenge of one of them. Counting stops at `MOST_COUNTED`."""

    received_at: Utc | None = Field(description="null where no history says it")
    is_own: bool = Field(description="whether the key of this site issued the challenge")
    is_first: bool = Field(description="of the records with this nonce, or of the same key as the first one")
    agreeing_accounts: int = Field(
        description="distinct holders of confirmed accounts whose published weights gave the same ids"
    )
    agreeing_keys: int = Field(description="distinct other keys, confirmed by none, that did")
    others: tuple[SameNonce, ...] = Field(description="the first ones, in the order in which they came")
    left_out: int


class Entry(Frozen):
    """One record of the site."""

    id: str = Field(description="first 16 digits of the content hash; longer where another has these")
    path: str = Field(description="of the file, below the results")
    head: RecordHead = Field(description="`head.judged` is never null here")
    state: State
    reason: str | None = Field(default=None, description="of a decision to publish or to withdraw, cleaned")
    keeper: str | None = Field(default=None, description="id of the entry that this one repeats")
    apart: Apart | None = Field(default=None, description="null: measured, published weights, a real card")
    findings: tuple[Finding, ...] = Field(description="of the file and against others; errors first")
    answers: Answers
    freshness: Freshness | None = Field(default=None, description="null: no challenge, or not shown")

    @property
    def counts(self) -> bool:
        """Whether its figures are in the medians of its card."""
        return self.state is State.PUBLISHED and self.apart is None


# --- pages ------------------------------------------------------------------------------------------------


class RecordPage(Frozen):
    """The page of one record. `check`: of this record alone; null where no figures are shown."""

    entry: Entry
    check: Check | None
    bundle: bool = Field(description="whether `bundle.json`, as it was sent, is published with `record.json`")
    order_is_known: bool = Field(description="false: no history says which record came first")


class CardPage(Frozen):
    """The page of one model on one card.

    `check`: published records of published weights, merged; null where there are none: the page is then the
    prediction. `prediction`: for the card and its systems; null where bench has none.
    `entries`: the newest first, in every state. `others`: records that never count (`Apart`), the same way.
    """

    model: PathName
    slug: Slug
    name: str = Field(description="of the card")
    check: Check | None
    prediction: Check | None
    entries: tuple[Entry, ...]
    others: tuple[Entry, ...]
    order_is_known: bool

    @property
    def is_prediction(self) -> bool:
        """Whether nothing was measured."""
        return self.check is None


class CardSummary(Frozen):
    """A card page as the front page lists it."""

    model: PathName
    slug: Slug
    name: str
    row: OverviewRow | None = Field(description="null: no figures; `href` leads from the front page")
    is_prediction: bool
    published: int
    held: int
    refused: int
    withdrawn: int
    others: int = Field(description="records that never count")
    keys: int = Field(description="distinct keys of the published records")
    reproduced: int = Field(description="published records that another key agrees with")
    confirmed: int = Field(description="the same, another confirmed identity")


class SiteIndex(Frozen):
    """All of the site, for the front page."""

    cards: tuple[CardSummary, ...] = Field(description="by model, memory and name")
    records: int
    newest: Utc | None = Field(description="date of the newest record")
    order_is_known: bool


class DataFile(Frozen):
    """A file of the data for the page that lists them."""

    name: str = Field(description="below `data/`")
    size_bytes: int
    sha256: Sha256
