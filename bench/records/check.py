"""The check document: what is known of one model on one card, from one record or from many.

`docs/check.md` explains each name to those who read the JSON.
"""

from typing import Final, Literal

from pydantic import Field

from bench.records.base import Frozen
from bench.records.card import Emulation
from bench.records.check_parts import (
    CheckEnvironment,
    CheckFrontier,
    CheckGpu,
    CheckModel,
    CheckRecord,
    CheckRow,
    CheckSpeed,
    CheckVram,
)
from bench.records.check_prediction import CheckPrediction
from bench.records.words import Provenance, Verdict

CHECK_VERSION: Final = "1.0"
NamedShape = Literal["10/128", "60/512", "300/1024"]
SHAPES: Final[dict[NamedShape, tuple[float, int]]] = {
    "10/128": (10.0, 128),
    "60/512": (60.0, 512),
    "300/1024": (300.0, 1024),
}
"""Clip seconds and new tokens of a short question, a minute's transcript and long listening."""


class Check(Frozen):
    """The document. An emulated card has no speed: the rows keep what the device that played it did."""

    schema_version: Literal["1.0"]
    model: CheckModel
    gpu: CheckGpu
    provenance: Provenance = Field(description="of what the verdict rests on")
    verdict: Verdict
    why: str
    caveats: tuple[str, ...]
    emulation: Emulation | None = Field(description="the card that was played")
    prediction: CheckPrediction | None
    vram: CheckVram
    speed: dict[NamedShape, tuple[CheckSpeed, ...]] = Field(
        min_length=3,
        max_length=3,
        description="clip seconds / new tokens: one entry for each attention that ran it",
    )
    frontier: tuple[CheckFrontier, ...]
    rows: tuple[CheckRow, ...]
    environment: tuple[CheckEnvironment, ...] = Field(min_length=1)
    records: tuple[CheckRecord, ...] = Field(min_length=1)
