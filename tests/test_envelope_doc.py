"""Every figure of docs/envelope.md is that of the shipped prediction, and the code still predicts it."""

import re
from pathlib import Path

import pytest

from bench.cli.app import run
from bench.engines.native.profiles import settings_of
from bench.hardware.budget import CONTEXT, desktop_cost, driver_reserve
from bench.hardware.catalog import cards
from bench.records.enums import Profile
from bench.store.record_files import read_record
from tools.derived import LINUX
from tools.envelope_page import CLIP_S, MAX_TOKENS, PAGE, RECORDS, blocks, example, filled, marked

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_figures_are_those_of_the_shipped_prediction() -> None:
    assert marked(TEXT) == blocks()


@pytest.mark.full_size
@pytest.mark.parametrize("profile", [Profile.FAITHFUL, Profile.LEAN])
def test_the_shipped_prediction_is_what_the_code_predicts(profile: Profile, tmp_path: Path) -> None:
    system = ["--os", LINUX.os, "--torch", LINUX.torch]
    wanted = ["--gpu", RECORDS.name, *system, "--profile", profile.value, "--attention", "sdpa"]
    cell = ["--clip-seconds", str(CLIP_S), "--max-tokens", str(MAX_TOKENS)]
    assert run(["plan", *wanted, *cell, "--out", str(tmp_path)]) == 0
    planned = read_record(next(tmp_path.rglob("*.json")))
    assert [cell.envelope for cell in planned.cells] == [example(profile).envelope]


def test_nothing_in_bf16_certainly_fits_with_a_large_desktop() -> None:
    card, envelope = (
        next(card for card in cards() if card.slug == RECORDS.name),
        example(Profile.FAITHFUL).envelope,
    )
    assert envelope is not None
    total = card.memory_total_bytes or 0
    costs = (CONTEXT, driver_reserve(total, "linux"), desktop_cost("linux"))
    assert envelope.weights_bytes + sum(cost.high_bytes for cost in costs) > total


def test_the_page_names_the_settings_of_lean() -> None:
    lean = settings_of(Profile.LEAN)
    assert f"takes {lean.encoder_chunks_at_once} chunks of audio" in TEXT
    assert f"in pieces of {lean.mlp_positions_at_once} positions" in TEXT
    assert lean.logits_positions == "last"
    assert lean.embeddings == "host"


def test_filling_changes_what_is_marked_and_nothing_else() -> None:
    page = "a <!-- x -->1<!-- end --> b <!-- y -->\n2\n<!-- end -->"
    assert filled(page, {"x": "3"}) == page.replace("1", "3")
    assert filled(TEXT, marked(TEXT)) == TEXT
    with pytest.raises(KeyError, match="z"):
        filled(page, {"z": ""})


def test_every_marker_has_its_end() -> None:
    assert len(re.findall("<!-- (?!end)", TEXT)) == TEXT.count("<!-- end -->") == len(marked(TEXT))
