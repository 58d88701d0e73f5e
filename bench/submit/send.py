"""A bundle sent to a site over HTTP, with the same key on every try: a lost answer makes no second entry."""

import hashlib
import importlib.util
import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import httpx2

import bench
from bench.errors import SiteError
from bench.submit.answer import MAX_BYTES, Accepted, Refused, read_answer
from bench.submit.destination import Site
from bench.submit.send_faults import (
    AGAIN,
    lasting_fault,
    no_answer,
    no_certificates,
    passing_fault,
    settings_fault,
)
from bench.text import clean

Progress = Callable[[str], None]
"""Takes a line about what happens now."""

_NOT_A_SITE: Final = "Check the address; a network may want you to log in first"
_DIRECT: Final = ("http://", "https://")


@dataclass(frozen=True)
class Patience:
    """How long and how often a site is tried."""

    tries: int = 5
    connect_s: float = 10.0
    silence_s: float = 30.0
    """Longest time without a byte of the answer."""
    answer_s: float = 60.0
    """Longest time for the whole body of an answer."""
    first_pause_s: float = 1.0
    """Before the second try; it doubles from try to try, and up to half of it is left out at random."""
    longest_pause_s: float = 30.0
    longest_asked_s: float = 120.0
    """Longest `Retry-After` that is waited for."""

    def pause_s(self, tried: int) -> float:
        """Return the pause after so many tries: at random, so that many senders do not return at once."""
        whole = min(self.first_pause_s * 2.0 ** (tried - 1), self.longest_pause_s)
        return whole * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


@dataclass(frozen=True)
class _Later:
    """A try that did not succeed, and the pause that the site asks for."""

    error: SiteError
    asked_s: int | None = None


def digest_of(bundle: bytes) -> str:
    """Return the SHA-256 of a bundle's bytes, in hex."""
    return hashlib.sha256(bundle).hexdigest()


def send(
    bundle: bytes, site: Site, progress: Progress, patience: Patience = Patience()
) -> Accepted | Refused:
    """Send a bundle, several times where the site does not answer or is busy.

    Raises:
        SiteError: the site cannot be reached, is busy for too long, or its answer is none of a site of bench.
    """
    with open_client(site, patience) as client:
        tried = 1
        while True:
            progress(f"sending {len(bundle) / 1000:.1f} kB to {site.url} (try {tried} of {patience.tries})")
            outcome = _try(client, bundle, site, patience)
            if not isinstance(outcome, _Later):
                return outcome
            asked_s = outcome.asked_s or 0
            if tried == patience.tries or asked_s > patience.longest_asked_s:
                raise outcome.error
            pause_s = max(asked_s, patience.pause_s(tried))
            progress(f"{outcome.error.message}; next try in {pause_s:.0f} s")
            time.sleep(pause_s)
            tried += 1


def open_client(site: Site, patience: Patience) -> httpx2.Client:
    """Return what speaks HTTP with a site, with the settings of proxies and certificates of this user.

    Raises:
        SiteError: these settings are wrong.
    """
    socks_package = None if importlib.util.find_spec("socksio") else "httpx2[socks]"
    fault = settings_fault(site, socks_package=socks_package)
    if fault is not None:
        raise fault
    try:
        return httpx2.Client(
            headers={"User-Agent": f"moss-audio-bench/{bench.__version__}", "Accept-Encoding": "identity"},
            # To connect, between two bytes read, between two written, for a free connection.
            timeout=(patience.connect_s, patience.silence_s, patience.silence_s, None),
            follow_redirects=False,
            # A proxy cannot reach this computer.
            mounts=dict.fromkeys(_DIRECT) if site.is_own else None,
        )
    except ssl.SSLError as error:
        raise no_certificates() from error


def _try(client: httpx2.Client, bundle: bytes, site: Site, patience: Patience) -> Accepted | Refused | _Later:
    headers = {"Content-Type": "application/json", "Idempotency-Key": digest_of(bundle)}
    try:
        with client.stream("POST", site.submissions, content=bundle, headers=headers) as response:
            content = _read(response, site, patience)
    except httpx2.RequestError as error:
        lasting = lasting_fault(error, site)
        if lasting is not None:
            raise lasting from error
        return _Later(passing_fault(error, site))
    return _Later(no_answer(site)) if content is None else _judged(response, content, site)


def _read(response: httpx2.Response, site: Site, patience: Patience) -> bytes | None:
    """Return the body as it was sent; None where it takes too long."""
    content, end = bytearray(), time.monotonic() + patience.answer_s
    for part in response.iter_raw():  # not decoded: an answer that is small here can be large unpacked
        content += part
        if len(content) > MAX_BYTES:
            raise SiteError(
                f"the answer of {site.url} is larger than {MAX_BYTES // 2**20} MiB", hint=_NOT_A_SITE
            )
        if time.monotonic() > end:
            return None
    return bytes(content)


def _judged(response: httpx2.Response, content: bytes, site: Site) -> Accepted | Refused | _Later:
    status = response.status_code
    if status in (200, 201):
        accepted = read_answer(Accepted, content)
        if accepted is None:
            raise foreign(site, status)
        return accepted
    if is_busy(status):
        error, asked_s = busy(response, site)
        return _Later(error, asked_s)
    if response.has_redirect_location:
        target = clean(response.headers["Location"], 200)
        raise SiteError(
            f"{site.url} redirects to '{target}' (HTTP {status}), which is not followed",
            hint="If you trust that site, name it with --to",
        )
    refused = read_answer(Refused, content)
    if refused is None:
        raise foreign(site, status)
    if status in (413, 422):
        return refused
    raise SiteError(
        f"{site.url} does not take the bundle (HTTP {status}): {refused.title}",
        hint="Update bench, or use --offline",
    )


def is_busy(status: int) -> bool:
    """Whether a site may take the same request later."""
    return status == 429 or status >= 500


def busy(response: httpx2.Response, site: Site, *, again: str = AGAIN) -> tuple[SiteError, int | None]:
    """Return the error of a site that is busy, and the pause in seconds that it asks for."""
    status, stated = response.status_code, response.headers.get("Retry-After", "")
    asked_s = int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 9 else None
    what = "limits how often it is asked" if status == 429 else "has a fault, or is busy"
    wait = "" if asked_s is None else f"Wait {asked_s} s. "
    return SiteError(f"{site.url} {what} (HTTP {status})", hint=wait + again), asked_s


def foreign(site: Site, status: int) -> SiteError:
    """Return the error of an answer that is none of a site of bench."""
    return SiteError(f"{site.url} answers as no site of bench does (HTTP {status})", hint=_NOT_A_SITE)
