"""Moderation over HTTP for those who have the token of the server: the same decisions as by the commands."""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as InPath
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from bench.errors import BenchError, FetchError, RecordError, StorageError, UsageError
from bench.receiver.confirming import confirm, fetch_confirmation
from bench.receiver.database import Database
from bench.receiver.http.answers import Refused, Stored, Waiting, stored, waiting
from bench.receiver.http.body import read_body
from bench.receiver.http.limits import Limits
from bench.receiver.moderation import MAX_REASON, moderate, reason_of, revoke
from bench.receiver.states import Action, State
from bench.receiver.submissions import listed
from bench.records.base import Frozen, Utc
from bench.store.faults import first_fault

VARIABLE: Final = "BENCH_MODERATION_TOKEN"
"""The environment variable with the token. It is no option: others can see those."""
MOST_LISTED: Final = 1000
_MOST_BYTES: Final = 10_000
_MOST_BODY_S: Final = 10.0
_FETCHES_AT_ONCE: Final = 2
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]{32,200}")
_MAKE: Final = 'Make one: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
_BEARER: Final = HTTPBearer(
    scheme_name="moderation", description=f"{VARIABLE} of the server; 404 where it has none", auto_error=False
)
_NO_STORE: Final = {"Cache-Control": "no-store"}
_ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": Refused} for status in (400, 401, 404, 408, 409, 413, 415, 422, 429, 503)
}
_Id = Annotated[str, InPath(pattern="^(?:[0-9a-f]{16}|[0-9a-f]{64})$")]
_KeyId = Annotated[str, InPath(pattern="^[0-9a-f]{64}$")]
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Moderators:
    """Who may moderate a site, given by its address: those with the `token`. `failures` limits wrong ones."""

    site: str
    token: str
    failures: Limits


@dataclass(frozen=True, slots=True)
class Moderated:
    """What is moderated. `changed` is called after a decision, `log` takes a line for a person."""

    database: Database
    changed: Callable[[], None]
    log: Callable[[str], None]


class Because(Frozen):
    """The body of a decision."""

    reason: str = Field(
        min_length=1,
        max_length=MAX_REASON,
        pattern=r"[^\s\x1c-\x1f]",
        description="kept, and shown to everybody",
    )


class AtUrl(Because):
    """The body of a confirmation."""

    url: str = Field(description="of the file with which an account confirms a key")


class Queue(Frozen):
    """Submissions, the first received first."""

    submissions: tuple[Waiting, ...]
    more: bool = Field(description=f"whether there are more than {MOST_LISTED:,}")


class RevokedKey(Frozen):
    """A key that was revoked."""

    key_id: str
    held: int = Field(description="how many submissions are held since")


class ConfirmedKey(Frozen):
    """A key that an account confirms."""

    key_id: str
    account: str
    url: str
    confirmed_at: Utc
    replaced: str | None = Field(description="account that confirmed the key before")


def token_of(text: str | None) -> str | None:
    """Return the token of an environment variable; None where it is not set or empty.

    Raises:
        UsageError: it is too short, or has characters that a header cannot contain. It is not repeated.
    """
    if not text:
        return None
    if _TOKEN.fullmatch(text) is None:
        raise UsageError(f"{VARIABLE}: a token has 32 to 200 letters, digits and ._~+/=-", hint=_MAKE)
    return text


def moderation(moderated: Moderated, moderators: Moderators | None) -> APIRouter:
    """Return the routes. Without moderators each is answered with 404."""
    fetching = asyncio.Semaphore(_FETCHES_AT_ONCE)
    router = APIRouter(
        prefix="/api/moderation",
        dependencies=[Depends(_guard(moderators))],
        responses=_ERRORS,
        tags=["moderation"],
    )

    @router.get("/submissions", summary="Submissions in some states, with what is known of them")
    def queue(response: Response, state: Annotated[tuple[State, ...], Query()] = (State.HELD,)) -> Queue:
        response.headers.update(_NO_STORE)
        found = moderated.database.read(
            lambda connection: list(islice(listed(connection, set(state)), MOST_LISTED + 1))
        )
        return Queue(submissions=tuple(map(waiting, found[:MOST_LISTED])), more=len(found) > MOST_LISTED)

    @router.post(
        "/submissions/{submission_id}/{action}",
        openapi_extra=_body(Because),
        summary="Decide about a submission",
    )
    async def decide(request: Request, submission_id: _Id, action: Action) -> Stored:
        reason = _reason(await _read(request, Because))
        return await run_in_threadpool(_decide, moderated, submission_id, action, reason)

    @router.post("/keys/{key_id}/revoke", openapi_extra=_body(Because), summary="Revoke a key")
    async def revoke_key(request: Request, key_id: _KeyId) -> RevokedKey:
        reason = _reason(await _read(request, Because))
        return await run_in_threadpool(_revoke, moderated, key_id, reason)

    @router.post(
        "/confirmations",
        openapi_extra=_body(AtUrl),
        responses={502: {"model": Refused}},
        summary="Fetch the file with which an account confirms a key",
    )
    async def confirm_key(request: Request) -> ConfirmedKey:
        asked = await _read(request, AtUrl)
        reason, site = _reason(asked), "" if moderators is None else moderators.site
        async with fetching:
            return await run_in_threadpool(_confirm, moderated, asked.url, site, reason)

    return router


# --- who may --------------------------------------------------------------------------------------------


def _guard(moderators: Moderators | None) -> Callable[..., Awaitable[None]]:
    async def guard(request: Request, given: _Credentials) -> None:
        if moderators is None:
            raise HTTPException(404, f"moderation over HTTP is off: the server has no {VARIABLE}")
        address = "" if request.client is None else request.client.host
        wait_s = moderators.failures.wait_s(address, counts=False)
        if wait_s:
            raise HTTPException(429, "too many wrong tokens", {"Retry-After": str(wait_s)})
        if given is None or not _is_same(given.credentials, moderators.token):
            moderators.failures.wait_s(address)
            raise HTTPException(401, "this needs the token of a moderator", {"WWW-Authenticate": "Bearer"})

    return guard


def _is_same(given: str, token: str) -> bool:
    """Compare in a time that says nothing about the token, its length included."""
    first, second = (hashlib.sha256(text.encode(errors="surrogatepass")).digest() for text in (given, token))
    return hmac.compare_digest(first, second)


# --- bodies ---------------------------------------------------------------------------------------------


def _body(model: type[Frozen]) -> dict[str, Any]:
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"required": True, "content": content}}


_Body = TypeVar("_Body", bound=Because)


async def _read(request: Request, model: type[_Body]) -> _Body:
    content = await read_body(request.headers, request.stream(), most_bytes=_MOST_BYTES, most_s=_MOST_BODY_S)
    try:
        return model.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise HTTPException(422, f"the body: {first_fault(error)}") from error


def _reason(asked: Because) -> str:
    return _or(422, partial(reason_of, asked.reason))


def _or(status: int, work: Callable[[], Result]) -> Result:
    """Return what `work` returns. What it refuses is answered with a status, a failed fetch with 502."""
    try:
        return work()
    except StorageError:
        raise  # the database does not answer
    except FetchError as error:
        raise HTTPException(502, str(error)) from error
    except BenchError as error:
        raise HTTPException(status, str(error)) from error


# --- decisions ------------------------------------------------------------------------------------------


def _decide(moderated: Moderated, submission_id: str, action: Action, reason: str) -> Stored:
    now = datetime.now(UTC)
    try:
        found = moderated.database.write(
            lambda connection: moderate(connection, submission_id, action, reason, now)
        )
    except RecordError as error:
        raise HTTPException(404, "no submission has this id") from error
    except UsageError as error:
        raise HTTPException(409, str(error)) from error
    moderated.changed()
    if action is Action.DELETE:
        try:
            moderated.database.forget_deleted()
        except StorageError as error:
            moderated.log(f"after a deletion: {error}")
    return stored(found)


def _revoke(moderated: Moderated, key_id: str, reason: str) -> RevokedKey:
    now = datetime.now(UTC)
    held = _or(
        409, lambda: moderated.database.write(lambda connection: revoke(connection, key_id, reason, now))
    )
    moderated.changed()
    return RevokedKey(key_id=key_id, held=held)


def _confirm(moderated: Moderated, url: str, site: str, reason: str) -> ConfirmedKey:
    fetched = _or(422, lambda: fetch_confirmation(url, site))
    now = datetime.now(UTC)
    before = _or(
        409, lambda: moderated.database.write(lambda connection: confirm(connection, fetched, reason, now))
    )
    moderated.changed()
    found = fetched.confirmation
    return ConfirmedKey(
        key_id=found.key_id,
        account=found.account.name,
        url=found.account.url,
        confirmed_at=now,
        replaced=before,
    )
