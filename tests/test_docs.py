"""The documents stay true: every command in them parses, the harmless ones run, every link works."""

import re
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import click
import pytest
import torch

from bench import units
from bench.cli.app import cli, run
from bench.doctor.checks.install import torch_command
from bench.store.record_files import read_record
from tests.fake_driver.driver import environment_of
from tests.run.processes import bench
from tests.samples.machines import HOST

ROOT = Path(__file__).parent.parent
DOCUMENTS = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
_BLOCK = re.compile(r"^```(?:sh|powershell)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PATH = re.compile(r"(?:bench|tests|tools|suites|docs|\.ci)/[\w./-]*\w")
_ANCHOR = re.compile(r"\]\((?!https?://)([^)#]*)#([^)]+)\)")
_LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")


def commands(first_word: str) -> list[str]:
    """Every line of a shell block that runs this program, without prompt, path and comment."""
    lines = [
        line.split(" #")[0].strip().removeprefix(".venv/bin/").removeprefix(".venv\\Scripts\\")
        for document in DOCUMENTS
        for block in _BLOCK.findall(document.read_text(encoding="utf-8"))
        for line in block.splitlines()
    ]
    return sorted({line for line in lines if line.split(" ")[0] == first_word})


@pytest.mark.parametrize("command", commands("bench"))
def test_a_bench_command_parses(command: str) -> None:
    group: click.Group = cli
    name, *arguments = shlex.split(command)[1:]
    # Below the application, whose settings a command keeps from the first time that it is asked for help.
    with click.Context(cli, info_name="bench", **cli.context_settings) as parent:
        while isinstance(subcommand := group.commands[name], click.Group):
            group, (name, *arguments) = subcommand, arguments
        context = subcommand.make_context(name, arguments, parent=parent)
    assert isinstance(context, click.Context)


@pytest.mark.parametrize(
    "command",
    [
        line
        for line in commands("bench")
        if re.match("bench (run|frontier) ?", line) and "--resume" not in line
    ],
)
def test_a_run_can_be_planned(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [word for word in shlex.split(command)[1:] if word not in {"--dry-run", "--ci"}]
    code = run([*arguments, "--dry-run"])
    assert code in {0, 2, 3}
    if code == 0:
        assert re.search("cells|probes", capsys.readouterr().out)
    else:
        # A card or a file that the reader has, and this machine has not.
        assert re.search(
            "no rtx-40[79]0 here|interview.flac is missing|their-record.json: cannot be read",
            capsys.readouterr().err,
        )


def test_the_documented_diagnosis_is_what_the_doctor_says(
    fake_nvml: Path, home: Path, tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    shown = re.search(r"^```console\n\$ bench doctor\n(.*?)^\.\.\.$", page, re.MULTILINE | re.DOTALL)
    assert shown is not None
    doctor = bench("doctor", home=home, cwd=tmp_path, env=environment_of("rtx-4070-desktop", fake_nvml))
    said = doctor.stdout.splitlines()
    missing = [line for line in shown[1].splitlines() if line not in said]
    told = r"ok +Python|problem +torch"
    if torch.version.cuda is not None:  # the page shows a build for the CPU, and how to mend that
        told += r"| +fix: Install the build for the card"
    assert [line for line in missing if not re.match(told, line)] == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 180


def test_the_readme_installs_torch_as_the_doctor_says() -> None:
    installed = {line for line in commands("pip") if "torch==" in line}
    assert installed == {torch_command("cu130", replace(HOST, makefile=False))}
    assert {'pip install ".[run]"', "pip install ."} <= set(commands("pip"))


@pytest.mark.parametrize("command", commands("make"))
def test_a_make_target_exists(command: str) -> None:
    ended = subprocess.run(
        [*shlex.split(command), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    for target in _LINK.findall(document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


def anchors(page: Path) -> set[str]:
    """Anchors of the headings of a page, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_heading_leads_to_one(document: Path) -> None:
    for target, anchor in _ANCHOR.findall(document.read_text(encoding="utf-8")):
        page = document.parent / target if target else document
        assert anchor in anchors(page), f"{target}#{anchor}"


@pytest.mark.parametrize("name", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_every_file_and_folder_that_is_named_exists(name: str) -> None:
    named = _PATH.findall((ROOT / name).read_text(encoding="utf-8"))
    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_documented_exit_codes_are_those_of_the_program() -> None:
    from bench.errors import ExitCode

    text = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    stated = {
        int(code) for row in re.findall(r"^\| ([\d, ]+) \|", text, re.MULTILINE) for code in row.split(", ")
    }
    assert stated == set(ExitCode)


def test_the_figures_of_the_full_size_model_are_those_of_its_record() -> None:
    text = (ROOT / "docs" / "cost-of-measuring.md").read_text(encoding="utf-8")
    (path,) = set(re.findall(r"\.\./results/(\S+\.json)", text))
    summary = read_record(ROOT / "results" / path).cells[0].summary
    assert summary is not None
    timed = (summary.encode_s, summary.time_to_first_token_s, summary.latency_s)
    figures = [
        units.seconds(summary.load_s),
        *(units.seconds(statistic.median) for statistic in timed if statistic is not None),
        units.rate(summary.decode_tokens_per_s.median if summary.decode_tokens_per_s else None, "tok/s"),
        units.ratio(summary.real_time_factor.median if summary.real_time_factor else None),
        units.both_units(summary.allocated_peak_bytes),
        units.both_units(summary.resident_peak_bytes),
    ]
    row = next(line for line in text.splitlines() if line.startswith("| ") and "tok/s" in line)
    assert sorted(row.strip("| ").split(" | ")) == sorted(figures)
