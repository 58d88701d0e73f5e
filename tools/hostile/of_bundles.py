"""Cases of bundles: forged, misused and damaged ones. Their keys are those of the tests."""

import base64
import gzip
import json
from collections.abc import Iterator
from typing import Any, Final

from bench.records.submission import MAX_NOTE
from bench.store.bundle import payload_of
from bench.store.canonical import content_hash
from tests.identity.signers import as_file, signed, signed_by_nobody, signed_payload, signer
from tools.hostile.bases import base
from tools.hostile.case import Case, Document, Edit
from tools.hostile.edits import setting

_OWNER: Final = 1
_THIEF: Final = 2
_TOKEN: Final = "hf_" + "AbCdEfGhIjKlMnOpQrStUvWx"  # nobody's


def of_bundles() -> Iterator[Case]:
    """Every case."""
    yield from _of_signatures()
    yield from _of_envelopes()
    yield from _of_statements()
    yield from _of_text()


def _statement(edit: Edit | None = None, *, is_hashed: bool = True) -> Document:
    """Return what a sender states about a good record, or about an edited one."""
    record = base("card")
    if edit is not None:
        edit(record)
    if is_hashed:
        record["content_hash"] = content_hash(record)
    public_key = signer(_OWNER).public_key.keyval["public"]
    made: Document = json.loads(payload_of(record, public_key=public_key, handle="ada", note=None))
    return made


def _envelope(edit: Edit | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(signed(_statement(edit), _OWNER))
    return found


def _of_signatures() -> Iterator[Case]:
    """The record of somebody, with the name of another."""
    yield Case("bundle-good", (), 0, content=signed(_statement(), _OWNER))
    yield Case("bundle-signed-by-another", ("signature_invalid",), 1, content=signed(_statement(), _THIEF))
    stolen = _envelope()
    stolen["signatures"][0]["keyid"] = signer(_THIEF).public_key.keyid
    yield Case("bundle-key-id-swapped", ("signature_invalid",), 1, content=as_file(stolen))
    free = signed_by_nobody(
        _statement(), bytes([1, *bytes(31)]).hex()
    )  # the neutral point: it needs no secret
    yield Case("bundle-key-without-a-secret", ("signature_invalid",), 1, content=free)
    claimed = _envelope()
    statement = _statement()
    statement["predicate"]["handle"] = "eve"
    claimed["payload"] = json.loads(signed(statement))["payload"]
    yield Case("bundle-edited-unsigned", ("signature_invalid",), 1, content=as_file(claimed))
    faster = setting(cells__0__summary__latency_s__median=0.001)
    yield Case(
        "bundle-edited-signed-again",
        ("hash_mismatch", "summary_mismatch"),
        1,
        content=signed(_statement(faster, is_hashed=False)),
    )
    yield Case(
        "bundle-edited-hashed-and-signed-again", ("summary_mismatch",), 1, content=signed(_statement(faster))
    )
    other = _statement()
    other["subject"][0] = _statement(setting(record_id="0" * 12))["subject"][0]
    yield Case("bundle-of-another-record", ("subject_mismatch",), 1, content=signed(other))
    weak = _statement()
    weak["predicate"]["public_key"] = "0" * 64
    yield Case("bundle-key-of-zeros", ("signature_invalid",), 1, content=signed(weak))


def _of_envelopes() -> Iterator[Case]:
    """Envelopes that are none."""
    whole = signed(_statement(), _OWNER)
    two = _envelope()
    two["signatures"] += json.loads(signed(_statement(), _THIEF))["signatures"]
    unsafe = _envelope()
    unsafe["payload"] = unsafe["payload"][:-4] + "-_=="
    broken = _envelope()
    broken["payload"] = f"{broken['payload'][:100]}\n{broken['payload'][100:]}"
    damaged = {
        "two-signatures": as_file(two),
        "no-signature": as_file({**_envelope(), "signatures": []}),
        "payload-type": as_file({**_envelope(), "payloadType": "text/plain"}),
        "payload-type-signed": signed_payload(base64.b64decode(_envelope()["payload"]), 1, "text/plain"),
        "extra-key": as_file({**_envelope(), "verified": True}),
        "base64-of-addresses": as_file(unsafe),
        "base64-in-lines": as_file(broken),
        "twice": whole + whole,
        "key-twice": whole.replace(b"{", b'{"payload":"",', 1),
        "zip": b"PK\x03\x04\x14\x00results/x.bundle.json" + whole,
        "gzip": gzip.compress(whole, mtime=0),
        "cut-off": whole[: len(whole) // 2],
    }
    for name, content in damaged.items():
        yield Case(f"bundle-{name}", (), 2, content=content)


def _of_statements() -> Iterator[Case]:
    """Payloads that are signed well, and are no statements of ours."""
    text = json.dumps(_statement(), separators=(",", ":"), sort_keys=True)
    deep = "[" * 5000 + "]" * 5000
    payloads = {
        "not-canonical": json.dumps(_statement()),
        "nan": text.replace('"seed":0', '"seed":NaN', 1),
        "infinity": text.replace('"seed":0', '"seed":1e999', 1),
        "levels": deep,
        "levels-in-the-record": text.replace('"definition":{', f'"definition":{{"a":{deep},', 1),
        "key-twice-inside": text.replace('"handle":', '"handle":"eve","handle":', 1),
        "zip-inside": "PK\x03\x04",
        "of-nothing": "{}",
    }
    for name, payload in payloads.items():
        yield Case(f"bundle-{name}", (), 2, content=signed_payload(payload.encode()))
    changes: dict[str, dict[str, object]] = {
        "predicate-key": {"predicate__verified": True},
        "predicate-type": {"predicateType": "https://slsa.dev/provenance/v1"},
        "licence": {"predicate__license": "MIT"},
        "later-version": {"predicate__schema_version": "2.0"},
        "two-subjects": {"subject": _statement()["subject"] * 2},
        "in-a-bundle": {"predicate__record": _envelope()},
        "note-too-long": {"predicate__note": "x" * (MAX_NOTE + 1)},
        "handle-bidi": {"predicate__handle": "ada\u202egnp"},
        "handle-control": {"predicate__handle": "ada\x1b[2J"},
        "handle-script": {"predicate__handle": "<script>alert(1)</script>"},
        "handle-lookalike": {"predicate__handle": "\u0430da"},
        "handle-path": {"predicate__handle": "../../ada"},
    }
    for name, change in changes.items():
        statement = _statement()
        setting(**change)(statement)
        yield Case(f"bundle-{name}", (), 2, content=signed(statement))


def _of_text() -> Iterator[Case]:
    """Text that could harm a reader, and text that nobody should publish."""
    harmful = {
        "script": "<script>alert(1)</script>",
        "bidi": "fast \u202egnp.exe\u2066",
        "control": "\x1b[2J\x07\r\n::error::",
        "formula": '=HYPERLINK("//evil.example","x")',
    }
    for name, text in harmful.items():
        statement = _statement()
        statement["predicate"]["note"] = text
        yield Case(f"bundle-note-{name}", (), 0, content=signed(statement))
    private = {
        "token": _TOKEN,
        "path": "in /home/ada/models",
        "address": "ask ada@example.org",
        "card-id": "GPU-8f3a2b1c-0d4e-4f5a-9b6c-7d8e9f0a1b2c",
        "serial": "serial 1652922012345",
        "web-token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln",
        "flag-with-a-path": "gcc -I/home/ada/include",
    }
    for name, text in private.items():
        statement = _statement()
        statement["predicate"]["note"] = text
        yield Case(f"bundle-note-with-{name}", ("private_text",), 1, content=signed(statement))
        planted = setting(environment__cpu=f"A CPU, {text}")
        yield Case(f"text-with-{name}", ("private_text",), 1, edit=planted)
        yield Case(f"bundle-record-with-{name}", ("private_text",), 1, content=signed(_statement(planted)))
    slow = setting(environment__cpu="a." * 50_000 + "!")  # each letter could begin an address
    yield Case("text-of-many-characters", ("private_text",), 1, edit=slow)
    named: dict[str, dict[str, str]] = {
        "under-the-name-of-a-series": {"token_times_s": f"1.0 {_TOKEN}"},
        "as-a-key": {_TOKEN: "ask ada@example.org"},
    }
    for name, packages in named.items():
        planted = setting(environment__packages=packages)
        yield Case(f"text-{name}", ("private_text",), 1, edit=planted)
