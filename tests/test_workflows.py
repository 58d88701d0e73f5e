"""The action and the workflows: their shell steps run here, and a stranger's code never starts by itself."""

import ast
import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.store.record_files import read_record
from bench.submit.place import place_of
from tests.engines.stand_in import NAME
from tests.identity.signers import bundled, signed, signer
from tests.run.processes import environment, write_suite
from tests.submit.pull_request import PullRequest
from tests.validate.good import ordinary

ROOT = Path(__file__).parents[1]


def read(name: str) -> dict[Any, Any]:
    content: dict[Any, Any] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    return content


ACTION = read("action.yml")
GPU = read(".github/workflows/gpu.yml")
REUSABLE = read(".github/workflows/bench.yml")
CI = read(".github/workflows/ci.yml")
SUBMISSIONS = read(".github/workflows/submissions.yml")
DOCUMENTS = {"action": ACTION, "gpu": GPU, "bench": REUSABLE, "ci": CI, "submissions": SUBMISSIONS}


def steps_of(document: dict[Any, Any]) -> list[dict[str, Any]]:
    if "runs" in document:
        return list(document["runs"]["steps"])
    return [step for job in document["jobs"].values() for step in job["steps"]]


STEPS = {
    (name, step["name"]): step
    for name, document in DOCUMENTS.items()
    for step in steps_of(document)
    if "run" in step
}
NAMES = [pytest.param(name, id=" ".join(name)) for name in STEPS]


def shell(step: tuple[str, str], folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
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


# --- what holds for every step ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_no_step_pastes_an_expression_into_its_shell(name: tuple[str, str]) -> None:
    assert "${{" not in STEPS[name]["run"]


@pytest.mark.parametrize("name", NAMES)
def test_a_step_uses_what_it_is_given_and_is_given_what_it_uses(name: tuple[str, str]) -> None:
    script, given = STEPS[name]["run"], set(STEPS[name].get("env", {}))
    document = DOCUMENTS[name[0]]
    used = set(re.findall(r"\$\{?([A-Z][A-Z_]+)", script))
    assert given - {"GH_TOKEN"} <= used  # which gh reads
    assert {each for each in used - given if not each.startswith(("GITHUB_", "RUNNER_"))} <= set(
        document.get("env", {})
    )


@pytest.mark.parametrize("name", NAMES)
def test_shellcheck_has_nothing_to_say(name: tuple[str, str], tmp_path: Path) -> None:
    checker = shutil.which("shellcheck", path=str(Path(sys.executable).parent)) or shutil.which("shellcheck")
    if checker is None:
        pytest.skip("needs shellcheck")
    (tmp_path / "step.sh").write_text(STEPS[name]["run"])
    said = subprocess.run(
        [checker, "--shell=bash", str(tmp_path / "step.sh")], capture_output=True, text=True, check=False
    )
    assert said.stdout == ""


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_actions_of_others_are_pinned_by_hash(document: dict[Any, Any]) -> None:
    for step in steps_of(document):
        used = step.get("uses", "./")
        assert used.startswith("./") or re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", used), used


# --- the tests on other systems ---------------------------------------------------------------------------


def test_code_of_a_fork_runs_on_machines_of_github_without_rights() -> None:
    assert set(CI[True]) == {"push", "pull_request"}
    assert CI["permissions"] == {}
    for job in CI["jobs"].values():
        assert job["permissions"] == {"contents": "read"}
        runners = job["strategy"]["matrix"].get("runner", [job["runs-on"]])
        assert all(re.fullmatch(r"(ubuntu|windows|macos)-\d+(\.\d+)?", runner) for runner in runners)
        assert job["timeout-minutes"] <= 60
    assert "secrets." not in (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")


def test_on_windows_and_macos_there_is_no_make_and_the_named_tests_exist() -> None:
    scripts = [step["run"] for step in CI["jobs"]["elsewhere"]["steps"] if "run" in step]
    assert not any(re.search(r"\bmake\b", script) for script in scripts)
    named = {word for script in scripts for word in script.split() if word.startswith("tests/")}
    assert named == {"tests/cli", "tests/run"}
    assert all((ROOT / name).is_dir() for name in named)


def test_a_test_file_that_runs_on_windows_imports_nothing_that_windows_lacks() -> None:
    for path in (*ROOT.glob("tests/cli/*.py"), *ROOT.glob("tests/run/*.py"), *ROOT.glob("tests/*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = {each.name for each in node.names} if isinstance(node, ast.Import) else set()
            assert not names & {"pty", "fcntl", "termios", "resource", "pwd", "grp"}, path


# --- submitted records ------------------------------------------------------------------------------------


def test_a_submission_runs_the_code_of_the_base_and_reads_that_of_the_branch() -> None:
    assert SUBMISSIONS[True] == {"pull_request": {"paths": ["results/**"]}}
    assert SUBMISSIONS["permissions"] == {}
    (job,) = SUBMISSIONS["jobs"].values()
    assert job["permissions"] == {"contents": "read"}
    assert "secrets." not in (ROOT / ".github/workflows/submissions.yml").read_text(encoding="utf-8")
    for checked in (
        "head.repo.full_name != github.repository",
        "startsWith(github.event.pull_request.head.ref, 'submit/')",
    ):
        assert checked in job["if"]
    base, submitted = (step["with"] for step in job["steps"] if "checkout" in step.get("uses", ""))
    assert (base["ref"], base["path"]) == ("${{ github.event.pull_request.base.sha }}", "base")
    assert submitted["path"] == "submitted"
    assert not base["persist-credentials"]
    assert not submitted["persist-credentials"]
    assert {step["working-directory"] for step in job["steps"] if "run" in step} == {"base"}


@pytest.mark.parametrize(("seed", "code"), [(1, 0), (2, 1)], ids=["its own key", "another key"])
def test_the_steps_take_bundles_and_validate_them(seed: int, code: int, tmp_path: Path) -> None:
    statement = json.loads(base64.b64decode(json.loads(bundled(ordinary(), 1))["payload"]))
    pull = PullRequest(tmp_path)
    pull.write(str(place_of(ordinary(), signer(1).public_key.keyid)), signed(statement, seed))
    pull.commit()
    pull.folder.rename(tmp_path / "submitted")
    own = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_WORKSPACE": str(tmp_path),
        "RUNNER_TEMP": str(tmp_path),
    }
    taken = shell(("submissions", "Take the bundles out"), ROOT, **own, BASE="main", HEAD="change")
    assert (taken.returncode, taken.stdout) == (0, "1 files, 0 refused\n"), taken.stderr
    judged = shell(("submissions", "Validate"), ROOT, **own)
    assert judged.returncode == code, judged.stderr
    assert ("[signature_invalid]" in judged.stdout) is (code == 1)


# --- who may start what -----------------------------------------------------------------------------------


def test_a_pull_request_does_not_start_the_workflow_of_this_repository() -> None:
    triggers = GPU[True]  # YAML 1.1 reads the key `on` as true
    assert set(triggers) == {"push", "workflow_dispatch"}
    assert triggers["push"] == {"branches": ["main"]}
    assert GPU["jobs"]["gpu"]["environment"] == "gpu"


def test_the_reusable_workflow_names_the_events_it_runs_for_and_asks_an_environment() -> None:
    assert set(REUSABLE[True]) == {"workflow_call"}
    job = REUSABLE["jobs"]["bench"]
    allowed = set(json.loads(re.search(r"fromJSON\('(.*?)'\)", job["if"])[1]))  # type: ignore[index]
    assert allowed == {"push", "schedule", "workflow_dispatch", "release"}
    assert "pull_request.head.repo.full_name == github.repository" in job["if"]
    assert job["environment"] == "${{ inputs.environment }}"
    assert REUSABLE[True]["workflow_call"]["inputs"]["environment"]["default"] == "gpu"


@pytest.mark.parametrize("document", [GPU, REUSABLE], ids=["gpu", "bench"])
def test_no_workflow_may_write(document: dict[Any, Any]) -> None:
    assert document["permissions"] == {}
    for job in document["jobs"].values():
        assert set(job["permissions"].values()) == {"read"}


def test_inputs_of_the_reusable_workflow_are_inputs_of_the_action() -> None:
    offered = REUSABLE[True]["workflow_call"]["inputs"]
    passed = next(step["with"] for step in steps_of(REUSABLE) if step.get("uses") == "./.bench")
    assert set(passed) <= set(ACTION["inputs"])
    assert passed == {name: f"${{{{ inputs.{name} }}}}" for name in passed}
    for name in set(passed) & set(offered):
        assert offered[name]["default"] == ACTION["inputs"][name]["default"], name


# --- which code -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("commit", ["", "c" * 40], ids=["main", "a commit that was read"])
def test_it_checks_out_what_was_asked_for(commit: str, tmp_path: Path) -> None:
    output = tmp_path / "output"
    ended = shell(
        ("gpu", "Which code"), tmp_path, COMMIT=commit, GITHUB_SHA="a" * 40, GITHUB_OUTPUT=str(output)
    )
    assert ended.returncode == 0, ended.stderr
    assert output.read_text() == f"ref={commit or 'a' * 40}\n"


@pytest.mark.parametrize("workflow", ["gpu", "bench"])
@pytest.mark.parametrize("commit", ["main", "refs/pull/1/head", "$(id)", "c" * 39, "C" * 40])
def test_what_could_move_after_it_was_read_is_refused(workflow: str, commit: str, tmp_path: Path) -> None:
    output = tmp_path / "output"
    own = {"COMMIT": commit, "BENCH_REPOSITORY": "", "BENCH_COMMIT": "", "GITHUB_REPOSITORY": "a/b"}
    ended = shell((workflow, "Which code"), tmp_path, **own, GITHUB_SHA="a" * 40, GITHUB_OUTPUT=str(output))
    assert ended.returncode == 2
    assert not output.exists()


@pytest.mark.parametrize(
    ("repository", "pin", "expected"),
    [
        ("", "", ("own/code", "c" * 40)),
        ("some/bench", "b" * 40, ("some/bench", "b" * 40)),
        ("some/bench", "", None),
        ("some/bench", "v1", None),
    ],
)
def test_bench_from_elsewhere_is_pinned(
    repository: str, pin: str, expected: tuple[str, str] | None, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    ended = shell(
        ("bench", "Which code"),
        tmp_path,
        COMMIT="c" * 40,
        BENCH_REPOSITORY=repository,
        BENCH_COMMIT=pin,
        GITHUB_REPOSITORY="own/code",
        GITHUB_SHA="a" * 40,
        GITHUB_OUTPUT=str(output),
    )
    if expected is None:
        assert ended.returncode == 2
    else:
        where, commit = expected
        assert output.read_text() == f"ref={'c' * 40}\nbench-repository={where}\nbench-ref={commit}\n"


# --- the steps of the action, one after the other ---------------------------------------------------------

# `bench compare` is stood in for, so that the outcome of a gate can be chosen; all else is the real command.
BENCH = """#!/usr/bin/env bash
if [[ $1 == compare ]]; then
  printf '%s\\n' "$@" > "$COMPARED"
  [[ $COMPARE_CODE == 2 ]] || echo '## Slower'
  exit "$COMPARE_CODE"
fi
exec "{python}" -m bench "$@"
"""
GH = """#!/usr/bin/env bash
printf '%s\\n' "$@" >> "$CALLED"
case "$1 $2" in
  "run list") echo "$RUNS" ;;
  "run download") cp -r "$LAST/." "${@: -1}" ;;
esac
"""


@dataclass
class Job:
    """A workspace with the files of a runner; what a step writes to GITHUB_OUTPUT is kept by its name."""

    folder: Path
    home: Path
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    def step(self, name: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        output = self.folder / f"output-{name}"
        own = environment(self.home) | {
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": "own/code",
            "RUNNER_TEMP": str(self.folder / "temp"),
            "PYTHONPATH": str(ROOT),
            "PATH": f"{self.folder / 'tools'}{os.pathsep}{os.environ['PATH']}",
            "COMPARED": str(self.folder / "compared"),
            "CALLED": str(self.folder / "called"),
        }
        ended = shell(("action", name), self.folder / "work", **(own | variables))
        lines = output.read_text().splitlines() if output.exists() else []
        self.outputs[name] = dict(line.split("=", 1) for line in lines)
        return ended


def executable(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


RUN = {"DEVICE": "cpu", "MODEL": "", "WEIGHTS": "", "REVISION": "", "OUT": "bench-results"}


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory, home: Path, stand_ins: dict[str, str]) -> Iterator[Job]:
    """After the steps Install and Run, of a suite that expects too much."""
    folder = tmp_path_factory.mktemp("job")
    for name in ("work", "temp", "tools", "venv/bin"):
        (folder / name).mkdir(parents=True)
    executable(folder / "venv/bin/bench", BENCH.replace("{python}", sys.executable))
    executable(folder / "venv/bin/python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    executable(folder / "tools/gh", GH)
    (folder / "venv/.installed-cpu").touch()  # newer than what it is made from: nothing is installed again
    suite = write_suite(folder / "work", tokens="[8]", engine=NAME)
    suite.write_text(suite.read_text() + '[[expect]]\ngenerated_tokens = ">= 9"\n')
    made = Job(folder, home)
    installed = made.step("Install", TORCH="cpu", VENV=str(folder / "venv"), ACTION=str(ROOT))
    assert installed.returncode == 0, installed.stderr
    ran = made.step("Run", BENCH=made.outputs["Install"]["bench"], SUITE="mine.toml", **RUN, **stand_ins)
    assert ran.returncode == 0, ran.stderr
    assert "::error title=bench%3A 1 s%2C 8 tokens%2C sdpa::" in ran.stdout
    yield made


def test_the_install_step_makes_the_environment_and_names_bench(job: Job) -> None:
    assert job.outputs["Install"] == {"bench": str(job.folder / "venv/bin/bench")}


def test_the_run_step_tells_what_came_of_it_and_fails_later(job: Job) -> None:
    run = job.outputs["Run"]
    assert (run["exit_code"], run["verdict"]) == ("1", "unknown")
    work = job.folder / "work"
    assert read_record(work / run["record"]).provenance == "smoke"
    assert (work / run["junit"]).is_file()
    assert "expects" in (job.folder / "summary.md").read_text(encoding="utf-8")


def test_a_run_that_cannot_start_leaves_its_code_and_no_record(job: Job) -> None:
    bench = job.outputs["Install"]["bench"]
    kept = dict(job.outputs["Run"])
    (job.folder / "output-Run").unlink()
    ended = job.step("Run", BENCH=bench, SUITE="--help", **RUN)
    assert ended.returncode == 0, ended.stderr
    assert job.outputs["Run"] == {"exit_code": "2", "verdict": "", "record": "", "junit": "", "summary": ""}
    job.outputs["Run"] = kept


BASE = {
    "GH_TOKEN": "x", "BRANCH": "main", "ARTIFACT": "bench", "OUT": "bench-results",
    "CALLER": "own/code/.github/workflows/gpu.yml@refs/heads/topic",
}  # fmt: skip


def test_the_base_is_the_last_record_of_the_card_that_a_push_to_the_default_branch_left(job: Job) -> None:
    last, record = job.folder / "last", job.outputs["Run"]["record"]
    below = last / Path(record).parent.relative_to("bench-results")
    other = last / "tiny" / "another-card"
    for folder in (below, other):
        folder.mkdir(parents=True)
    for name in (
        "20260101T000000Z-mine-a.json",
        "20260102T000000Z-mine-b.json",
        "20260103T000000Z.check.json",
        "check.json",
    ):
        (below / name).touch()
    (other / "20260104T000000Z-mine-c.json").touch()
    ended = job.step("Base", **BASE, RECORD=record, RUNS="42", LAST=str(last))
    assert ended.returncode == 0, ended.stderr
    assert Path(job.outputs["Base"]["record"]).name == "20260102T000000Z-mine-b.json"
    called = (job.folder / "called").read_text().splitlines()
    assert called[: called.index("download") - 1] == [
        *("run", "list", "--repo", "own/code", "--workflow", "gpu.yml", "--branch", "main"),
        *("--event", "push", "--status", "success", "--limit", "1"),
        *("--json", "databaseId", "--jq", ".[].databaseId"),
    ]


@pytest.mark.parametrize("runs", ["", "42; id", "null"])
def test_without_an_earlier_run_there_is_no_base(job: Job, runs: str) -> None:
    (job.folder / "output-Base").unlink(missing_ok=True)
    ended = job.step("Base", **BASE, RECORD=job.outputs["Run"]["record"], RUNS=runs, LAST="/nowhere")
    assert ended.returncode == 0, ended.stderr
    assert "No earlier record of main" in ended.stdout
    assert job.outputs["Base"] == {}


@pytest.mark.parametrize(
    ("code", "comment", "strict"),
    [("0", "## Slower\n", "false"), ("1", "## Slower\n", "true"), ("2", "exit code 2", "false")],
)
def test_the_comparison_is_the_comment_and_its_gates_are_passed_on(
    job: Job, code: str, comment: str, strict: str
) -> None:
    run = job.outputs["Run"]
    (job.folder / "output-Compare").unlink(missing_ok=True)
    ended = job.step(
        "Compare",
        BENCH=job.outputs["Install"]["bench"],
        BASE="base dir/old.json",
        RECORD=run["record"],
        SUMMARY=run["summary"],
        FAIL_ON="decode_tokens_per_s:-5%\n\nreserved_peak_bytes:+2%\n",
        STRICT=strict,
        OUT="bench-results",
        COMPARE_CODE=code,
    )
    assert ended.returncode == 0, ended.stderr
    assert job.outputs["Compare"] == {"exit_code": code, "comment": "bench-results/comment.md"}
    assert comment in (job.folder / "work/bench-results/comment.md").read_text()
    assert (job.folder / "compared").read_text().splitlines() == [
        *("compare", "base dir/old.json", run["record"], "--format=md"),
        *("--fail-on=decode_tokens_per_s:-5%", "--fail-on=reserved_peak_bytes:+2%"),
        *(["--strict"] if strict == "true" else []),
    ]


def test_without_a_base_the_comment_is_the_summary(job: Job) -> None:
    run = job.outputs["Run"]
    (job.folder / "output-Compare").unlink(missing_ok=True)
    ended = job.step(
        "Compare",
        BENCH="",
        BASE="",
        RECORD=run["record"],
        SUMMARY=run["summary"],
        FAIL_ON="",
        OUT="bench-results",
    )
    assert ended.returncode == 0, ended.stderr
    assert "exit_code" not in job.outputs["Compare"]
    text = (job.folder / "work/bench-results/comment.md").read_text(encoding="utf-8")
    assert text.startswith("## The pipeline works: tiny on ")
    assert text.endswith("There is no earlier record to compare with.\n")


@pytest.mark.parametrize(
    ("run", "compare", "code"),
    [("0", "", 0), ("0", "0", 0), ("0", "1", 1), ("1", "0", 1), ("4", "1", 4), ("3", "", 3)],
)
def test_the_run_counts_before_the_comparison(job: Job, run: str, compare: str, code: int) -> None:
    assert job.step("Result", RUN=run, COMPARE=compare).returncode == code


# --- the workflow of this repository ----------------------------------------------------------------------


@pytest.mark.parametrize("target", ["test-gpu", "setup", "lint", "types", "test"])
def test_its_make_targets_exist(target: str, tmp_path: Path) -> None:
    asked = subprocess.run(
        ["make", "--dry-run", "--file", str(ROOT / "Makefile"), target, "TORCH=cu130", "ARGS="],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    # The set-up cannot be planned outside the checkout; an unknown target is another message.
    assert "No rule to make target 'pyproject.toml'" in asked.stderr, asked.stderr


def test_its_inputs_are_inputs_of_the_action() -> None:
    (given,) = (step["with"] for step in steps_of(GPU) if step.get("uses") == "./")
    assert set(given) <= set(ACTION["inputs"])


# --- the examples of the documentation --------------------------------------------------------------------

EXAMPLES = re.findall(
    r"^```yaml\n(.*?)^```", (ROOT / "docs/ci.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)


def test_the_documented_workflows_pass_the_checks_of_our_own(tmp_path: Path) -> None:
    action, reusable, comment = EXAMPLES
    (tmp_path / "action.yml").write_text(action)
    (tmp_path / "reusable.yml").write_text(reusable + comment)
    tools = Path(sys.executable).parent
    files = [str(path) for path in sorted(tmp_path.glob("*.yml"))]
    for command in (
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files],
        ["zizmor", "--quiet", "--offline", *files],
    ):
        if not (tools / command[0]).is_file():
            pytest.skip(f"needs {command[0]}")
        said = subprocess.run(
            [str(tools / command[0]), *command[1:]], capture_output=True, text=True, check=False
        )
        assert said.returncode == 0, said.stdout + said.stderr


def test_the_documented_inputs_exist() -> None:
    action, reusable, _ = map(yaml.safe_load, EXAMPLES)
    (used,) = (step["with"] for step in steps_of(action) if step["uses"].startswith("OWNER/"))
    assert set(used) <= set(ACTION["inputs"])
    assert set(reusable["jobs"]["bench"]["with"]) <= set(REUSABLE[True]["workflow_call"]["inputs"])


def test_the_documentation_has_every_input_and_its_default() -> None:
    page = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    table = page.split("| input | default | |")[1].split("\n\n")[0]
    named: dict[str, str] = {}
    for line in table.splitlines():
        cells = re.findall(r"`([^`]*)`", "|".join(line.split("|")[1:2])), line.split("|")[2:3]
        defaults = re.findall(r"`([^`]*)`", cells[1][0]) if cells[1] else []
        named |= dict(zip(cells[0], [*defaults, *[""] * len(cells[0])], strict=False))
    expected = {name: str(each["default"]) for name, each in ACTION["inputs"].items() if name != "token"}
    assert {name: text for name, text in named.items() if name != "token"} == expected
