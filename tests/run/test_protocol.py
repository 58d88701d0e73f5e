"""The lines between parent and worker."""

import os
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from bench.engines.interface import ModelFacts, ModelSource
from bench.records.reasons import FlashAttentionBroken
from bench.run.protocol import EVENT, Event, Hello, Refused, Setup, Step

MODEL = ModelFacts(config_sha256="0" * 64, parameters=None, weights_bytes=None, max_positions=4096)


@pytest.mark.parametrize(
    "event",
    [
        Hello(pid=7, model=MODEL, torch="2.13.0", transformers=None),
        Hello(
            pid=7,
            model=MODEL,
            torch="2.13.0",
            transformers="5",
            flash_attention_problem=FlashAttentionBroken(version="2.8", failed_at="run", error="no kernel"),
        ),
        Refused(message="no card", hint=None, exit_code=3, out_of_memory=True),
        Step(name="repeat", number=2, total=5),
    ],
    ids=lambda event: event.kind,
)
def test_an_event_is_one_line_and_reads_back_as_what_it_was(event: Event) -> None:
    line = event.model_dump_json()
    assert "\n" not in line
    assert EVENT.validate_json(line) == event


@pytest.mark.parametrize(
    "line", ['{"kind": "joke"}', '{"name": "repeat"}', '{"kind": "hello", "pid": "x"}', "Loading: 100%"]
)
def test_anything_else_is_no_event(line: str) -> None:
    with pytest.raises(ValidationError):
        EVENT.validate_json(line)


@pytest.mark.skipif(sys.platform != "linux", reason="file names are Unicode")
@pytest.mark.parametrize("name", [b"a.wav", "Jürgen 你好/%41%.wav".encode(), b"Stra\xdfe\n.wav"])
def test_any_file_name_reaches_the_worker(name: bytes) -> None:
    """A name from an old archive or a Windows share is no UTF-8."""
    path = Path(os.fsdecode(name))
    source = ModelSource(name="x", weight_mode="local", directory=path)
    setup = Setup(engine="native", source=source, device="cpu", dtype="float32", audio=path)
    line = setup.model_dump_json()
    assert line.isascii()
    assert Setup.model_validate_json(line) == setup
    assert os.fsencode(setup.audio or "") == name
