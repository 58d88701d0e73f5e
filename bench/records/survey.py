"""The JSON document of `bench plan --any-gpu`: every card of the catalog. docs/predictions.md explains it."""

from typing import Final, Literal

from pydantic import Field

from bench.records.base import ByteInterval, Bytes, Frozen, Slug, Utc
from bench.records.enums import AttentionKernel, Verdict
from bench.records.prediction import PlannedSystem
from bench.records.record import ModelInfo, SuiteInfo
from bench.records.verdicts import CellReason

SURVEY_VERSION: Final = "1.0"


class SurveyCard(Frozen):
    """One card of the catalog, judged by the cell that needs most of it."""

    slug: Slug
    name: str
    memory_total_bytes: Bytes | None = Field(description="null: the catalog does not know it")
    verdict: Verdict = Field(description="of the worst cell; unknown where nothing was predicted")
    why: str = Field(description="the reason for the verdict, as a sentence")
    why_code: CellReason
    headless_likely: bool = Field(description="every cell fits or likely fits without a desktop")
    desktop_likely: bool = Field(description="every cell fits or likely fits with a desktop")
    device_peak_bytes: ByteInterval | None = Field(
        description="what a card must have for the largest cell; null where nothing was predicted"
    )
    attention_kernels: tuple[AttentionKernel, ...] = Field(description="of the language model, each once")


class Survey(Frozen):
    """Every card of the catalog, from little memory to much, those of unknown memory last.

    `smallest_*` is the slug of the card with the least memory on which every cell fits (`*_likely`: fits or
    likely fits); null: no card, or a budget that `headroom` leaves out.
    """

    schema_version: Literal["1.0"]
    created_at: Utc
    provenance: Literal["derived"]
    model: ModelInfo
    suite: SuiteInfo = Field(description="its definition has the cells")
    system: PlannedSystem
    headroom: Literal["headless", "desktop"] | None = Field(
        description="the only budget: only it was requested, or on Windows no other exists; null for both"
    )
    smallest_headless: Slug | None
    smallest_headless_likely: Slug | None
    smallest_desktop: Slug | None
    smallest_desktop_likely: Slug | None
    cards: tuple[SurveyCard, ...]
