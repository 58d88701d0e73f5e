"""The log of a site and its checkpoint over HTTP. They are untrusted: nothing but their size is checked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx2

from bench.errors import SiteError
from bench.submit.destination import Site
from bench.submit.send import Patience, busy, foreign, is_busy, open_client
from bench.submit.send_faults import lasting_fault, passing_fault

MAX_LINE_BYTES: Final = 4096
"""Longest line of a log that is read. An entry takes about 350 bytes."""
_MAX_BYTES: Final = 2**30
_PATIENCE: Final = Patience()
_LOG: Final = "/api/log"
_CHECKPOINT: Final = "/api/log/checkpoint"
_AGAIN: Final = "Run the same command again"
_OTHERWISE: Final = "download the log elsewhere and verify the file"


def checkpoint_url(site: Site) -> str:
    """Return the address of the checkpoint of a site."""
    return site.url + _CHECKPOINT


def checkpoint_of(site: Site, most_bytes: int, patience: Patience = _PATIENCE) -> bytes:
    """Return the file of the checkpoint of a site.

    Raises:
        SiteError: the site cannot be reached, or its answer is none of a site of bench.
    """
    content = bytearray()
    with _answer(checkpoint_url(site), site, patience) as parts:
        for part in parts:
            content += part
            if len(content) > most_bytes:
                raise SiteError(f"{site.url}: the checkpoint is larger than {most_bytes:,} bytes")
    return bytes(content)


def log_of(site: Site, patience: Patience = _PATIENCE) -> Iterator[bytes]:
    """Yield the lines of the log of a site, as they arrive.

    Raises:
        SiteError: the site cannot be reached, breaks off, or its answer is none of a site of bench.
    """
    rest, size = b"", 0
    with _answer(site.url + _LOG, site, patience) as parts:
        for part in parts:
            *lines, rest = (rest + part).split(b"\n")
            yield from lines
            size += len(part)
            if len(rest) > MAX_LINE_BYTES or size > _MAX_BYTES:
                raise SiteError(f"{site.url}: the log has a line or a size that no log has")
    if rest:
        yield rest


@contextmanager
def _answer(url: str, site: Site, patience: Patience) -> Iterator[Iterator[bytes]]:
    """Ask once; give the parts of the body as they arrive."""
    with open_client(site, patience) as client:
        try:
            with client.stream("GET", url) as response:
                if is_busy(response.status_code):
                    raise busy(response, site, again=_AGAIN)[0]
                if response.status_code != 200:
                    raise foreign(site, response.status_code)
                yield response.iter_raw()
        except httpx2.RequestError as error:
            lasting = lasting_fault(error, site, otherwise=_OTHERWISE)
            raise (lasting or passing_fault(error, site, again=_AGAIN)) from error
