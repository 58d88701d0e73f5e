"""The body of a request, read up to a limit of bytes and of time."""

import asyncio
from collections.abc import AsyncIterable, Mapping
from typing import Final

_JSON: Final = "application/json"


class BodyError(Exception):
    """A body that is not read. Never leaves `bench.receiver.http`."""

    def __init__(self, status: int, title: str) -> None:
        super().__init__(title)
        self.status = status
        self.title = title


async def read_body(
    headers: Mapping[str, str], stream: AsyncIterable[bytes], *, most_bytes: int, most_s: float
) -> bytes:
    """Return the body of a request that states JSON, without any encoding.

    Raises:
        BodyError: it is something else, too large or too slow.
    """
    if headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        raise BodyError(415, f"the body is not {_JSON}")
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise BodyError(415, "the body is compressed: send it as it is")
    too_large = BodyError(413, f"the body has more than {most_bytes:,} bytes")
    stated = headers.get("content-length", "0")
    if not stated.isascii() or not stated.isdigit():
        raise BodyError(400, "the length of the body is no number")
    if len(stated) > len(str(most_bytes)) or int(stated) > most_bytes:
        raise too_large
    if "content-length" in headers and "transfer-encoding" in headers:
        raise BodyError(400, "the body has two lengths")  # a proxy could believe the other one
    found = bytearray()
    try:
        async with asyncio.timeout(most_s):
            async for part in stream:
                found += part
                if len(found) > most_bytes:
                    raise too_large
    except TimeoutError as error:
        raise BodyError(408, f"the body took more than {most_s:.0f} s") from error
    return bytes(found)
