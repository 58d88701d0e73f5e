"""A challenge of a site over HTTP. Its size is checked here, the rest by `bench.identity.challenge`."""

import time
from typing import Final

import httpx2

from bench.errors import SiteError
from bench.identity.challenge import MAX_BYTES, read_challenge
from bench.records.challenge import IssuedChallenge
from bench.submit.destination import Site
from bench.submit.send import Patience, busy, foreign, is_busy, open_client
from bench.submit.send_faults import lasting_fault, no_answer, passing_fault

_PATIENCE: Final = Patience()
_CHALLENGE: Final = "/api/challenge"
_AGAIN: Final = "Run the same command again, or leave --challenge out"
_OTHERWISE: Final = "leave --challenge out"


def challenge_of(site: Site, patience: Patience = _PATIENCE) -> IssuedChallenge:
    """Ask a site once for a new challenge; return it, its signature verified.

    Raises:
        SiteError: the site cannot be reached, is busy, or issues no challenges.
        RecordError: its answer is no challenge, or the signature does not hold.
    """
    content, end = bytearray(), time.monotonic() + patience.answer_s
    with open_client(site, patience) as client:
        try:
            with client.stream("POST", site.url + _CHALLENGE) as response:
                _require_answer(response, site)
                for part in response.iter_raw():
                    content += part
                    if len(content) > MAX_BYTES:
                        raise SiteError(
                            f"{site.url}: the challenge is larger than {MAX_BYTES:,} bytes", hint=_AGAIN
                        )
                    if time.monotonic() > end:
                        raise no_answer(site, again=_AGAIN)
        except httpx2.RequestError as error:
            lasting = lasting_fault(error, site, otherwise=_OTHERWISE)
            raise (lasting or passing_fault(error, site, again=_AGAIN)) from error
    return read_challenge(bytes(content), site.url)


def _require_answer(response: httpx2.Response, site: Site) -> None:
    if is_busy(response.status_code):
        raise busy(response, site, again=_AGAIN)[0]
    if response.status_code in (404, 405):
        raise SiteError(
            f"{site.url} issues no challenges", hint="Leave --challenge out, or name another site"
        )
    if response.status_code != 200:
        raise foreign(site, response.status_code)
