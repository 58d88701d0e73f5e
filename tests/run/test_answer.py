"""One question to an engine in this process."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench import shipped
from bench.errors import MachineError, UsageError
from bench.hardware import device
from bench.hardware.device import the_cpu
from bench.records.enums import Attention
from bench.run.answer import InferRequest, answer
from bench.run.run_spec import refuse_to_choose
from bench.weights.interface import quiet
from tests.engines.stand_in import GREETING, NAME

SPEECH = shipped.data("speech", "alice.flac")


def ask(*, engine: str | None = None, attention: Attention = Attention.SDPA, audio: Path = SPEECH) -> str:
    question = InferRequest(
        audio=audio,
        prompt="What is said?",
        max_tokens=4,
        attention=attention,
        greedy=True,
        device="cpu",
        engine=engine,
        model="tiny",
    )
    said: list[str] = []
    answer(question, refuse_to_choose, lambda *_: None, quiet, said.append, note=said.append)
    return "".join(said)


def test_the_text_of_the_engine_that_was_asked_for_is_handed_on(
    stand_ins: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # which the answer sets; undone here
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "")
    monkeypatch.syspath_prepend(stand_ins["PYTHONPATH"].partition(":")[0])
    assert ask(engine=NAME) == GREETING


def test_notes_on_the_device_are_handed_on(
    stand_ins: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # which the answer sets; undone here
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "")
    monkeypatch.syspath_prepend(stand_ins["PYTHONPATH"].partition(":")[0])
    cpu = replace(the_cpu(), choice_notes=("the CPU runs: a card is hidden",))
    monkeypatch.setattr(device, "the_cpu", lambda: cpu)
    assert ask(engine=NAME) == f"the CPU runs: a card is hidden{GREETING}"


def test_what_cannot_run_here_is_refused_before_anything_is_loaded() -> None:
    with pytest.raises(MachineError, match="FlashAttention 2 needs") as raised:
        ask(attention=Attention.FLASH_ATTENTION_2)
    assert raised.value.hint == "Use --attention sdpa"


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is missing"):
        ask(audio=tmp_path / "nothing.wav")
