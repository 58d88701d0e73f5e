"""`bench suites`."""

from pathlib import Path

from bench import shipped
from tests.cli.conftest import Say
from tests.run.processes import write_suite


def test_the_list_names_each_suite_with_its_cells(say: Say) -> None:
    lines = {line.split()[0]: line for line in say("suites").out.splitlines()}
    assert set(lines) == {"long-audio", "quick", "smoke", "standard"}
    assert "48 cells" in lines["standard"]


def test_one_suite_is_shown_with_its_settings(say: Say) -> None:
    shown = say("suites", "standard").out
    assert "clips        10 s, 30 s, 60 s" in shown
    assert "max_tokens   128, 256, 512, 1024" in shown
    assert "attention    sdpa, flash_attention_2" in shown
    assert "dtype        bfloat16" in shown


def test_a_file_of_ones_own_is_shown_too(say: Say, tmp_path: Path) -> None:
    path = write_suite(tmp_path)
    assert "mine           4 cells  A suite for tests" in say("suites", str(path)).out


def test_what_a_suite_expects_is_shown(say: Say, tmp_path: Path) -> None:
    path = write_suite(tmp_path)
    path.write_text(path.read_text() + '[[expect]]\nfits = true\nmax_tokens = [8]\nlatency_s = "<= 5"\n')
    assert 'expects      max_tokens = [8], fits = true, latency_s = "<= 5"\n' in say("suites", str(path)).out


def test_a_suite_with_an_unknown_engine_is_an_error_that_names_the_file(say: Say, tmp_path: Path) -> None:
    text = (shipped.suites() / "smoke.toml").read_text(encoding="utf-8")
    mine = tmp_path / "mine.toml"
    mine.write_text(text.replace('engine = "native"', 'engine = "other"'), encoding="utf-8")
    said = say("suites", str(mine))
    assert said.code == 2
    assert "mine.toml: engine: no engine 'other'. Choose from native" in said.line()
