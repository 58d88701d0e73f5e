"""`bench infer`."""

from pathlib import Path

from bench import shipped
from tests.cli.conftest import Say
from tests.run.processes import bench

SPEECH = str(shipped.data("speech", "alice.flac"))
ASK = ("infer", SPEECH, "--model", "tiny", "--device", "cpu", "--greedy", "--max-tokens", "12")


def test_the_answer_and_nothing_but_the_answer_the_same_each_time(home: Path, tmp_path: Path) -> None:
    first = bench(*ASK, home=home, cwd=tmp_path)
    assert (first.returncode, first.stderr) == (0, "")
    assert len(first.stdout.rstrip("\n")) >= 3
    assert first.stdout.endswith("\n")
    # A terminal that is not UTF-8 shows a question mark for what it lacks.
    second = bench(*ASK, home=home, cwd=tmp_path, env={"PYTHONIOENCODING": "latin-1"})
    assert (second.returncode, second.stderr) == (0, "")
    assert second.stdout == first.stdout.encode("latin-1", "replace").decode()


def test_what_cannot_be_asked(say: Say) -> None:
    for arguments, code, told in (
        (["nothing.wav", "--model", "tiny"], 2, "nothing.wav is missing. Name an audio file"),
        ([SPEECH, "--weights", "random"], 2, "random weights have no tokenizer. Use --model tiny"),
        ([SPEECH, "--model", "tiny", "--attention", "flash_attention_2"], 3, "Use --attention sdpa"),
        ([SPEECH, "--max-tokens", "0"], 2, "0 is not in the range"),
        ([], 2, "Missing argument 'AUDIO'"),
    ):
        said = say("infer", "--device", "cpu", *arguments)
        assert said.code == code
        assert told in said.line()
