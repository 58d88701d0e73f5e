"""What `bench run` prints at its end."""

import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from bench.cli.run_output import ResumeCommand, exit_code, kernel_announcer, print_result
from bench.engines.interface import ModelFacts
from bench.errors import StorageError
from bench.hardware.device import Device
from bench.records.cell import CellResult, Failed
from bench.records.enums import Profile, WeightMode
from bench.run.protocol import Hello
from bench.run.run_spec import Origin, Plan
from bench.run.runner import RunResult
from tests.samples import records as sample
from tests.samples.challenged import SITE, challenged
from tests.validate.good import ordinary

RAN = sample.measured(sample.requested(10, 128))
FAILED = sample.not_measured(sample.requested(30, 128), Failed(reason="cuDNN error"))
OUT_OF_MEMORY = sample.out_of_memory(sample.requested(60, 128))


@pytest.fixture
def result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunResult:
    """Of a whole run of the sweep, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return RunResult(sample.standard(), Path("results/MOSS-Audio-4B-Instruct/rtx-4070/a.json"), None)


def test_the_record_is_named_even_if_the_report_cannot_be_written(
    result: RunResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "reports").write_text("in the way")
    remedy = f"Make it writable, then: bench report {result.path}"
    with pytest.raises(StorageError, match=re.escape(remedy)):
        print_result(result, None, ResumeCommand(()))
    assert f"record  {result.path}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("out", "report"),
    [
        (None, "reports/MOSS-Audio-4B-Instruct/rtx-4070/a.html"),
        (Path("results"), "results/MOSS-Audio-4B-Instruct/rtx-4070/a.html"),
    ],
)
def test_the_report_lies_where_the_records_were_asked_for(
    result: RunResult, out: Path | None, report: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_result(result, out, ResumeCommand(()))
    assert f"report  {Path(report)}" in capsys.readouterr().out
    assert (tmp_path / report).is_file()


@pytest.mark.parametrize("plain", [False, True])
def test_a_whole_run_names_the_command_that_submits_it_where_somebody_reads_it(
    result: RunResult, plain: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = RunResult(sample.record([RAN, OUT_OF_MEMORY]), result.path, None)
    print_result(whole, None, ResumeCommand(()), plain=plain)
    submits = f"submit it with\n  bench submit {result.path} --to git\n"
    assert capsys.readouterr().out.endswith(submits) is not plain


def test_a_run_with_a_nonce_is_submitted_to_the_site_that_issued_it(
    result: RunResult, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not so a check: the record that it checks can name any site."""
    first = challenged(ordinary())
    for record, to in ((first, SITE), (challenged(ordinary(), checks=first), "git")):
        print_result(RunResult(record, result.path, None), None, ResumeCommand(()))
        assert capsys.readouterr().out.endswith(f"bench submit {result.path} --to {to}\n")


def test_a_challenge_that_failed_gives_exit_code_4(
    result: RunResult, capsys: pytest.CaptureFixture[str]
) -> None:
    record = challenged(ordinary(), outcome=Failed(reason="killed"))
    assert exit_code(RunResult(record, result.path, None)) == 4
    print_result(RunResult(record, result.path, None), None, ResumeCommand(()))
    printed = capsys.readouterr().out
    assert "not answered: killed" in printed
    assert printed.endswith(
        f"1 cell failed or timed out; run again with\n  bench run --resume {result.path} --retry-failed\n"
    )


def test_an_interrupted_run_names_the_command_that_finishes_it(
    result: RunResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = RunResult(sample.interrupted(), Path("my results/a.json"), 2)
    named = f'"{stopped.path}"' if os.name == "nt" else "'my results/a.json'"
    print_result(stopped, None, ResumeCommand(("--no-prune",)))
    assert capsys.readouterr().out.endswith(
        f"interrupted; finish it with\n  bench run --resume {named} --no-prune\n"
    )
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize(
    ("cells", "rate", "signal_number", "code"),
    [
        ([RAN], 1, None, 0),
        ([RAN], 1000, None, 1),
        ([RAN, OUT_OF_MEMORY], 1, None, 1),
        ([RAN, FAILED], 1000, None, 4),
        ([RAN, FAILED], 1000, 2, 130),
    ],
)
def test_what_is_not_met_is_told_and_ends_with_1_unless_something_went_wrong(
    cells: list[CellResult],
    rate: int,
    signal_number: int | None,
    code: int,
    result: RunResult,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Also without --ci."""
    record = sample.record(cells, definition={"expect": [{"decode_tokens_per_s": f">= {rate}"}]})
    shown = print_result(RunResult(record, result.path, signal_number), None, ResumeCommand(()))
    assert exit_code(shown.result, shown.cases) == code
    printed = capsys.readouterr().out
    assert ("not met: 10 s, 128 tokens, sdpa: expected decode_tokens_per_s >= 1000" in printed) is (rate > 1)
    assert "expectations: " in printed


def test_a_suite_that_expects_nothing_says_nothing_of_it(
    result: RunResult, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = print_result(RunResult(sample.smoke(), result.path, None), None, ResumeCommand(()))
    assert exit_code(shown.result, shown.cases) == 0
    assert "expect" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (
            Profile.FAITHFUL,
            "; math takes 4.99 GiB more than a fused kernel at 300 s of audio; bench doctor says what helps",
        ),
        (Profile.LEAN, "without groups of heads, which would need the math kernel"),
    ],
)
def test_what_the_math_kernel_of_a_card_costs_is_said_before_the_run(profile: Profile, words: str) -> None:
    device = Device("cuda", "rtx-4070", "NVIDIA GeForce RTX 4070", 12282 * 2**20, compute_capability="8.9")
    plan = SimpleNamespace(
        compute_on="cuda",
        device=device,
        suite=SimpleNamespace(engine="native", dtype="bfloat16"),
        origin=Origin(WeightMode.RANDOM, "MOSS-Audio-4B-Instruct"),
    )
    asked = [sample.requested(clip).model_copy(update={"profile": profile}) for clip in (300.0, 60.0)]
    hello = Hello(
        pid=1,
        model=ModelFacts(config_sha256="0" * 64, parameters=None, weights_bytes=None, max_positions=None),
        torch="2.13.0",
        transformers=None,
        sdpa_kernel="math",
        has_flash_kernels=False,
    )
    said: list[str] = []
    kernel_announcer(cast(Plan, plan), asked, said.append)(hello)
    (line,) = said
    assert words in line
    assert line.count("math kernel") == 1
