"""Work and speed: each figure at, below and beyond its slack, and where the evidence was left out."""

import pytest
from pydantic import JsonValue

from bench.hardware.catalog import cards
from bench.units import GIB
from bench.validate.physics import physics
from tests.validate import edits
from tests.validate.edits import Document, document_of, edited, fresh, value_at
from tests.validate.good import good
from tests.validate.recipes import UNLISTED, Recipe

(CARD,) = [card for card in cards() if card.slug == "rtx-4090"]
RATE = "cells[0].repeats[1].decode_tokens_per_s"


def about(changes: dict[str, JsonValue], document: Document | None = None) -> list[tuple[str, str]]:
    """Return what the rules of physics find."""
    candidate = edits.candidate(edited(changes, document))
    return [(found.code, found.path) for found in physics(candidate)]


@pytest.mark.parametrize("name", ["decode_bytes_per_token", "encode_operations", "prefill_operations"])
def test_a_count_that_the_architecture_does_not_give(name: str) -> None:
    path = f"cells[2].work.{name}"
    assert about({path: value_at(fresh(), path) // 2 // 1}) == [("work_mismatch", path)]


@pytest.mark.parametrize(
    ("share", "code"),
    [(0.9, None), (0.97, "decode_near_bandwidth"), (1.19, "decode_near_bandwidth"),
     (1.21, "decode_above_bandwidth"), (60.0, "decode_above_bandwidth")],
)  # fmt: skip
def test_decoding_against_the_bandwidth(share: float, code: str | None) -> None:
    assert CARD.memory_bandwidth_bytes_per_s is not None
    most = CARD.memory_bandwidth_bytes_per_s / value_at(fresh(), "cells[0].work.decode_bytes_per_token")
    assert about({RATE: share * most}) == ([] if code is None else [(code, RATE)])


@pytest.mark.parametrize(("share", "code"), [(0.98, None), (1.3, "rate_near_card"), (1.6, "rate_above_card")])
@pytest.mark.parametrize("phase", ["encode_s", "time_to_first_token_s"])
def test_encoder_and_prefill_against_the_rate(share: float, code: str | None, phase: str) -> None:
    assert CARD.bf16_operations_per_s is not None
    name = "encode" if phase == "encode_s" else "prefill"
    took = value_at(fresh(), f"cells[0].work.{name}_operations") / CARD.bf16_operations_per_s / share
    changes: dict[str, JsonValue] = {}
    for nth in range(3):
        repeat = value_at(fresh(), f"cells[0].repeats[{nth}]")
        before = repeat["preprocess_s"] + repeat["encode_s"] if name == "prefill" else 0.0
        changes[f"cells[0].repeats[{nth}].{phase}"] = before + took
    found = [each for each in about(changes) if each[1] == f"cells[0].summary.{phase}"]
    assert found == ([] if code is None else [(code, f"cells[0].summary.{phase}")])


def test_a_card_that_the_catalog_does_not_have_has_fewer_rules() -> None:
    unlisted = document_of(good(Recipe(card=UNLISTED, clips=(10.0,), tokens=(16,))))
    assert about({"cells[0].repeats[1].decode_tokens_per_s": 9999.0}, unlisted) == []


def test_an_emulated_run_says_nothing_of_speed() -> None:
    emulated = document_of(good(Recipe(card="rtx-4090", emulated_bytes=20 * GIB, clips=(10.0,))))
    assert about({"cells[0].repeats[1].decode_tokens_per_s": 9999.0}, emulated) == []


# --- evidence that was left out ---------------------------------------------------------------------------


def fast(document: Document, factor: float) -> Document:
    """Divide all times of a record."""
    for cell in document["cells"]:
        for repeat in cell["repeats"]:
            for name in ("preprocess_s", "encode_s", "time_to_first_token_s", "latency_s"):
                repeat[name] /= factor
            repeat["token_times_s"] = [time / factor for time in repeat["token_times_s"]]
            repeat["decode_tokens_per_s"] *= factor
    return document


@pytest.mark.parametrize(
    "left_out",
    [
        {"work": None, "power": None},
        {"work": None, "power": None, "effective": None, "memory": None, "device_memory": None},
    ],
)
def test_speed_without_the_counts_of_work(left_out: dict[str, JsonValue]) -> None:
    document = fast(fresh(), 100)
    for cell in document["cells"]:
        cell.update(left_out)
    codes = [code for code, _ in about({}, document)]
    assert codes.count("decode_above_bandwidth") == 12
    assert codes.count("rate_above_card") == 8


def test_counts_of_work_without_the_length_of_the_prompt() -> None:
    document = fast(fresh(), 100)
    for cell in document["cells"]:
        cell["power"] = cell["effective"]["prompt_tokens"] = None
        cell["work"] = {"decode_bytes_per_token": 1000, "encode_operations": 1.0, "prefill_operations": 1.0}
    codes = [code for code, _ in about({}, document)]
    assert codes.count("work_mismatch") == 12
    assert codes.count("decode_above_bandwidth") == 12


def test_the_length_of_the_prompt_is_not_needed() -> None:
    unknown: dict[str, JsonValue] = {f"cells[{nth}].effective.prompt_tokens": None for nth in range(4)}
    assert about(unknown) == []
    more = {f"cells[{nth}].work.encode_operations": 1e18 for nth in range(4)}
    assert [code for code, _ in about({**unknown, **more})] == ["work_mismatch"] * 4


@pytest.mark.parametrize("known", [(), ("preprocess_s",), ("encode_s",)])
def test_a_first_token_before_the_prefill_could_end(known: tuple[str, ...]) -> None:
    changes: dict[str, JsonValue] = {}
    for nth in range(3):
        at = f"cells[0].repeats[{nth}]"
        changes[f"{at}.time_to_first_token_s"] = 1e-5
        changes |= {f"{at}.{name}": 1e-6 if name in known else None for name in ("preprocess_s", "encode_s")}
    assert ("rate_above_card", "cells[0].summary.time_to_first_token_s") in about(changes)


@pytest.mark.parametrize("name", ["encode", "prefill"])
def test_a_phase_that_takes_no_time(name: str) -> None:
    changes: dict[str, JsonValue] = {}
    for nth in range(3):
        repeat = value_at(fresh(), f"cells[0].repeats[{nth}]")
        took = 0.0 if name == "encode" else repeat["time_to_first_token_s"] - repeat["preprocess_s"]
        changes[f"cells[0].repeats[{nth}].encode_s"] = took
    summary = "encode_s" if name == "encode" else "time_to_first_token_s"
    assert about(changes) == [("rate_above_card", f"cells[0].summary.{summary}")]


def test_an_engine_that_announces_no_phase_is_no_contradiction() -> None:
    changes: dict[str, JsonValue] = {
        f"cells[0].repeats[{nth}].{name}": None
        for nth in range(3)
        for name in ("preprocess_s", "encode_s", "decode_tokens_per_s", "token_times_s")
    }
    assert about(changes) == []


def test_an_answer_without_a_rate_that_no_bandwidth_gives() -> None:
    changes: dict[str, JsonValue] = {RATE: None, "cells[0].repeats[1].latency_s": 0.03}
    assert ("decode_above_bandwidth", RATE) in about(changes)


def test_a_cold_answer_that_no_bandwidth_gives() -> None:
    path = "cells[0].cold.decode_tokens_per_s"
    assert about({path: 9999.0}) == [("decode_above_bandwidth", path)]
