"""Attention kernels that contradict their operators, the device or the build of torch."""

from typing import Final

import pytest
from pydantic import JsonValue

from bench.records.enums import Attention
from bench.validate.attention_kernels import attention_kernels
from tests.validate import edits
from tests.validate.edits import Document, document_of, edited, errors, fresh, judged
from tests.validate.good import good
from tests.validate.recipes import Recipe

PART: Final = "cells[0].effective.language_model"
FLASH: Final = "aten::_scaled_dot_product_flash_attention"
EFFICIENT: Final = "aten::_scaled_dot_product_efficient_attention"


def about(document: Document) -> list[tuple[str, str]]:
    """Return the path and reason of each finding of these rules."""
    found = attention_kernels(edits.candidate(document))
    return [(each.path, str(each.facts["reason"])) for each in found]


def with_operators(*names: str, kernel: str | None = None, attention: str = "sdpa") -> Document:
    return edited(
        {f"{PART}.operators": list(names), f"{PART}.kernel": kernel, f"{PART}.attention": attention}
    )


def on_cpu() -> Document:
    return document_of(good(Recipe(card=None, clips=(10.0,), tokens=(8,))))


def test_flash_of_a_torch_without_flash() -> None:
    found = judged(edited({"environment.has_flash_kernels": False}))
    assert {path for _, path in errors(found)} == {
        f"$.cells[{nth}].effective.language_model" for nth in range(4)
    }
    assert found[0].sentence == "The kernels contradict the record: this torch contains no flash kernels."


def test_flash_of_the_package_needs_no_flash_of_torch() -> None:
    recipe = Recipe(card="rtx-4090", clips=(10.0,), tokens=(8,), attention=(Attention.FLASH_ATTENTION_2,))
    package = document_of(good(recipe))
    assert about(edited({"environment.has_flash_kernels": False}, package)) == []


@pytest.mark.parametrize("known", [None, True])
def test_flash_where_torch_has_it_or_does_not_say(known: bool | None) -> None:
    assert about(edited({"environment.has_flash_kernels": known})) == []


def test_a_cpu_has_a_fused_kernel_of_its_own() -> None:
    torch_for_cpus: dict[str, JsonValue] = {
        "environment.torch": "2.13.0+cpu",
        "environment.has_flash_kernels": False,
    }
    assert about(edited(torch_for_cpus, on_cpu())) == []


def test_a_torch_for_cpus_has_no_kernels_for_cards_and_runs_nothing_there() -> None:
    assert {path for path, _ in about(edited({"environment.torch": "2.13.0+cpu"}))} == {
        "environment.has_flash_kernels",
        "environment.torch",
    }


@pytest.mark.parametrize(
    ("names", "kernel", "attention", "reason"),
    [
        ((FLASH,), "math", "sdpa", "the operators are not those of math"),
        ((), "flash", "none", "the operators are not those of flash"),
        (("aten::_softmax",), "eager", "sdpa", "the operators are those of eager"),
        (("aten::_safe_softmax",), None, "sdpa", "the operators are those of sdpa (unfused)"),
        ((), None, "sdpa", "the operators are those of none"),
        ((f"{FLASH}_for_cpu",), "flash", "sdpa", "operators of CPUs ran on a card"),
    ],
)
def test_operators_that_are_those_of_something_else(
    names: tuple[str, ...], kernel: str | None, attention: str, reason: str
) -> None:
    assert about(with_operators(*names, kernel=kernel, attention=attention)) == [(PART, reason)]


@pytest.mark.parametrize(
    ("names", "kernel", "attention"),
    [
        ((FLASH,), None, "sdpa"),  # of an older bench
        ((EFFICIENT,), "memory_efficient", "sdpa"),
        ((FLASH, "aten::_softmax"), None, "eager + sdpa"),
        ((), None, "not observable (flash-attn 2.6.3)"),
        ((), None, "none"),
    ],
)
def test_kernels_that_a_run_writes(names: tuple[str, ...], kernel: str | None, attention: str) -> None:
    assert about(with_operators(*names, kernel=kernel, attention=attention)) == []


def test_kernels_of_cards_on_a_cpu() -> None:
    changes: dict[str, JsonValue] = {f"{PART}.operators": [EFFICIENT], f"{PART}.kernel": "memory_efficient"}
    assert about(edited(changes, on_cpu())) == [(PART, "operators of cards ran on a CPU")]


@pytest.mark.parametrize(("capability", "count"), [("7.5", 4), ("8.0", 0), ("strange", 0)])
def test_flash_on_a_card_that_is_too_old(capability: str, count: int) -> None:
    assert len(about(edited({"device.compute_capability": capability}))) == count


def test_what_another_engine_reports_is_its_own() -> None:
    other = edited({"environment.has_flash_kernels": False})
    for cell in other["cells"]:
        cell["requested"]["engine"] = "other"
    assert about(other) == []


def test_an_ordinary_record_contradicts_nothing() -> None:
    assert about(fresh()) == []
    assert about(on_cpu()) == []
