"""Cases of damaged files, and of hostile text in good ones."""

import json
from collections.abc import Iterator

from tools.hostile.bases import base
from tools.hostile.case import Case
from tools.hostile.edits import every_text, setting


def of_files() -> Iterator[Case]:
    """Damaged files, and text that could harm a reader."""
    document = base("card")
    text, date = json.dumps(document), json.dumps(document["created_at"])
    damaged = {
        "nan": text.replace('"seed": 0', '"seed": NaN', 1),
        "infinity": text.replace('"seed": 0', '"seed": 1e999', 1),
        "text-for-a-number": '"seed": "0"'.join(text.rsplit('"seed": 0', 1)),
        "negative-bytes": text.replace('"weights_bytes": ', '"weights_bytes": -', 1),
        "huge-integer": text.replace('"seed": 0', f'"seed": {"9" * 400}', 1),
        "unknown-key": text.replace("{", '{"verified": true, ', 1),
        "key-twice": text.replace("{", '{"provenance": "derived", ', 1),
        "later-schema": text.replace('"schema_version": "1.1"', '"schema_version": "9.0"', 1),
        "half-a-surrogate": text.replace("Describe this audio.", "\\ud800", 1),
        "path-as-model": text.replace("MOSS-Audio-4B-Instruct", "../../../etc/passwd"),
        "path-as-slug": text.replace('"slug": "rtx-4070"', '"slug": "../../x"', 1),
        "date-before-all-dates": text.replace(date, '"0001-01-01T00:00:00+14:00"'),
        "date-after-all-dates": text.replace(date, '"9999-12-31T23:59:59-14:00"'),
        "cut-off": text[: len(text) // 2],
        "levels": "[" * 5000 + "]" * 5000,
        "levels-in-a-record": text.replace(
            '"definition": ', f'"definition": {"[" * 5000}{"]" * 5000}, "x": ', 1
        ),
        "empty": "",
        "list": f"[{text}]",
        "number": "42",
    }
    for name, content in damaged.items():
        yield Case(f"file-{name}", (), 2, content=content.encode())
    yield Case("file-utf-16", (), 0, content=text.encode("utf-16"))  # as PowerShell writes it
    yield Case("file-zip", (), 2, content=b"PK\x03\x04\x14\x00../../evil.json")
    yield Case("file-binary", (), 2, content=bytes(range(256)))
    script = "<script>alert(1)</script>"
    yield Case("text-script", (), 0, edit=every_text(script))
    yield Case("text-bidi", (), 0, edit=every_text("\u202egnp.exe\u2066"))
    yield Case("text-control", (), 0, edit=every_text("\x1b[2J\x07\u0000\r\n::error::"))
    named = setting(device__name="NVIDIA GeForce RTX 4070 \u202e<img src=x onerror=alert(1)>")
    yield Case("text-in-the-card", ("card_contradicted",), 1, edit=named)
