"""The OpenAPI document of the receiver, as `bench site serve` answers it at /api/openapi.json."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.receiver.database import Database
from bench.receiver.http.app import Receiver, application
from bench.receiver.http.limits import Limits, Rate
from tools.derived import ROOT

DOCUMENT: Final = ROOT / "docs" / "receiver-openapi.json"
_ANY: Final = Rate(per_s=1.0, burst=1)


def document() -> str:
    """Return the document; no request is answered."""
    with TemporaryDirectory() as folder, Database(f"sqlite:///{folder}/receiver.sqlite") as database:
        limits = Limits(_ANY, _ANY, lambda: 0.0)
        receiver = Receiver(
            database, Path(folder), limits, lambda: None, lambda _: None, lambda _: b"", lambda: b""
        )
        return json.dumps(application(receiver).openapi(), indent=1, ensure_ascii=False) + "\n"
