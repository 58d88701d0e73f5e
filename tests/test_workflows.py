"""The workflow for a GPU runner: its shell steps run here, and a stranger's code never starts by itself."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.run.processes import environment

ROOT = Path(__file__).parents[1]
WORKFLOW: dict[Any, Any] = yaml.safe_load((ROOT / ".github/workflows/gpu.yml").read_text(encoding="utf-8"))
STEPS = {step["name"]: step for step in WORKFLOW["jobs"]["gpu"]["steps"] if "name" in step}


def shell(step: str, folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run one step as a runner does: bash that stops at the first error."""
    if shutil.which("bash") is None:
        pytest.skip("needs bash")
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS[step]["run"]],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_pull_request_does_not_start_it() -> None:
    triggers = WORKFLOW[True]  # YAML 1.1 reads the key `on` as true
    assert set(triggers) == {"push", "workflow_dispatch"}
    assert triggers["push"] == {"branches": ["main"]}
    assert WORKFLOW["jobs"]["gpu"]["environment"] == "gpu"


def test_no_step_pastes_an_expression_into_its_shell() -> None:
    assert [name for name, step in STEPS.items() if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize("commit", ["", "c" * 40], ids=["main", "a commit that was read"])
def test_it_checks_out_what_was_asked_for(commit: str, tmp_path: Path) -> None:
    output = tmp_path / "output"
    ended = shell("Which code", tmp_path, COMMIT=commit, GITHUB_SHA="a" * 40, GITHUB_OUTPUT=str(output))
    assert ended.returncode == 0, ended.stderr
    assert output.read_text() == f"ref={commit or 'a' * 40}\n"


@pytest.mark.parametrize("commit", ["main", "refs/pull/1/head", "$(id)", "c" * 39, "C" * 40])
def test_what_could_move_after_it_was_read_is_refused(commit: str, tmp_path: Path) -> None:
    output = tmp_path / "output"
    ended = shell("Which code", tmp_path, COMMIT=commit, GITHUB_SHA="a" * 40, GITHUB_OUTPUT=str(output))
    assert ended.returncode == 2
    assert not output.exists()


def test_the_summary_holds_the_report(
    finished_run: tuple[Path, str, str], home: Path, tmp_path: Path
) -> None:
    results = tmp_path / "bench-results"
    shutil.copytree(finished_run[0] / "results", results)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    command = tmp_path / ".venv/bin/bench"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bench "$@"\n')
    command.chmod(0o755)
    summary = tmp_path / "summary.md"
    variables = environment(home) | {"OUT": "bench-results", "GITHUB_STEP_SUMMARY": str(summary)}
    ended = shell("Summary", tmp_path, **(variables | {"PYTHONPATH": str(ROOT)}))
    assert ended.returncode == 0, ended.stderr
    assert "smoke run" in summary.read_text(encoding="utf-8")


@pytest.mark.parametrize("step", ["Tests on the card", "Benchmark"])
def test_its_make_targets_exist(step: str, tmp_path: Path) -> None:
    target = STEPS[step]["run"].split()[1]
    asked = subprocess.run(
        ["make", "--dry-run", "--file", str(ROOT / "Makefile"), target, "TORCH=cu130", "ARGS="],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    # The set-up cannot be planned outside the checkout; an unknown target is another message.
    assert "No rule to make target 'pyproject.toml'" in asked.stderr, asked.stderr
