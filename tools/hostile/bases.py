"""The good records that are edited."""

from dataclasses import replace
from typing import Final

from bench.records.enums import Attention, WeightMode
from bench.store.record_files import read_record
from bench.units import GIB
from tests.samples.challenged import challenged
from tests.validate.good import good
from tests.validate.recipes import Recipe
from tools.derived import ROOT
from tools.hostile.case import Document
from tools.hostile.edits import suite_hashed

_SHORT: Final = Recipe(card="rtx-4070", clips=(10.0,), tokens=(16, 32), attention=(Attention.SDPA,))
_BASES: Final = {
    "card": _SHORT,
    "smoke": Recipe(card=None, weights=WeightMode.TINY, suite="smoke"),
    "emulated": replace(_SHORT, card="h200", emulated_bytes=12 * GIB),
}


def base(name: str) -> Document:
    """Return a good record as JSON; `plan` is a shipped prediction, cut to one cell."""
    if name == "plan":
        return _plan()
    record = challenged(good(_SHORT)) if name == "challenged" else good(_BASES[name])
    document: Document = record.model_dump(mode="json")
    return document


def _plan() -> Document:
    folder = ROOT / "results" / "MOSS-Audio-4B-Instruct" / "rtx-4070"
    path = min(folder.glob("*-plan-*.json"), key=lambda path: (path.stat().st_size, path.name))
    document: Document = read_record(path).model_dump(mode="json")
    document["created_at"] = "2026-11-20T00:00:00Z"  # whenever the prediction was made last
    document["cells"] = document["cells"][:1]
    asked = document["cells"][0]["requested"]
    axes = document["suite"]["definition"]["axes"]
    axes |= {name: [asked[name]] for name in ("clip_seconds", "max_tokens", "attention")}
    changed = {*document["suite"]["overrides"], "clip_seconds", "max_tokens", "attention"}
    document["suite"]["overrides"] = sorted(changed)
    suite_hashed(document)
    return document
