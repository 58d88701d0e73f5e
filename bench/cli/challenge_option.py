"""`bench run --challenge`: a site that issues a nonce, or a record whose answer is checked."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bench.cli.streams import echo
from bench.errors import RecordError

if TYPE_CHECKING:
    from bench.records.record import ChallengeRequest, Record
    from bench.run.run_spec import Plan
    from bench.submit.destination import Site

_URLS = ("http://", "https://")


@dataclass(frozen=True)
class ChallengeSource:
    """Where the challenge of a run comes from: a site, or a record that is answered again."""

    text: str
    origin: "Site | Record"

    @classmethod
    def of(cls, text: str) -> Self:
        """Read the value of the option; nothing is fetched.

        Raises:
            UsageError: it is no address of a site, and no record.
        """
        if text.lower().startswith(_URLS):
            from bench.submit.destination import site_of

            return cls(text, site_of(text))
        from bench.store.record_files import read_record

        try:
            return cls(text, read_record(Path(text)))
        except RecordError as error:
            raise RecordError(
                f"--challenge: {error.message}", hint="Name a site (https://HOST) or a record"
            ) from error

    def require_answerable(self, plan: "Plan") -> None:
        """Check that a run of this plan can answer.

        Raises:
            UsageError: a record without an answer, or one of another model.
        """
        from bench.records.record import Record
        from bench.run.challenge import check_of, require_same_model

        if isinstance(self.origin, Record):
            check_of(self.origin, self.text)
            require_same_model(self.origin, plan)

    def into(self, plan: "Plan") -> "Plan":
        """Return the plan with the challenge, asked of the site now.

        Raises:
            BenchError: the site gives none, or the clock of this computer is behind.
        """
        from bench.run.challenge import planned_challenge, require_clock

        asked = self._asked()
        require_clock(asked, datetime.now(UTC))
        return replace(plan, challenge=planned_challenge(asked, plan))

    def _asked(self) -> "ChallengeRequest":
        from bench.records.record import ChallengeRequest, Record
        from bench.run.challenge import check_of
        from bench.submit.challenge import challenge_of
        from bench.wording.challenge import issued

        if isinstance(self.origin, Record):
            found = check_of(self.origin, self.text)
        else:
            found = ChallengeRequest(issued=challenge_of(self.origin))
        echo(f"challenge: {issued(found.issued)}", err=True)
        return found
