"""The container file and the compose file: what they say is true, and their commands run outside a container.

Nothing here starts a container: no test has seen the image.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import click
import httpx2
import pytest
import yaml

from bench.cli.app import cli
from tests.receiver.ports import free_port
from tests.run.processes import wait_for_line

ROOT: Final = Path(__file__).parents[1]
FILE: Final = ROOT / "Containerfile"
PORT: Final = "8000"
USER: Final = "10001"


def instructions() -> list[tuple[str, str]]:
    """Each instruction with its words, in their order."""
    text = re.sub(r"^#.*\n", "", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    return [
        (name, rest.strip()) for name, _, rest in (line.partition(" ") for line in text.splitlines()) if name
    ]


def words_of(name: str) -> list[str]:
    """All that follows an instruction."""
    return [rest for found, rest in instructions() if found == name]


def program(text: str) -> list[str]:
    """The words of a command in the form of a JSON list."""
    found: list[str] = json.loads(text[text.index("[") :])
    return found


def environment() -> dict[str, str]:
    """The variables of the image."""
    return dict(each.split("=", 1) for line in words_of("ENV") for each in line.split())


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return found


def serve() -> click.Command:
    site = cli.commands["site"]
    assert isinstance(site, click.Group)
    return site.commands["serve"]


# --- the container file -----------------------------------------------------------------------------------


def test_what_is_copied_exists_and_nothing_else_reaches_the_build() -> None:
    copied = {source for line in words_of("COPY") if "--from" not in line for source in line.split()[:-1]}
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {rule.removeprefix("!") for rule in rules if rule.startswith("!")} == copied
    assert next(rule for rule in rules if not rule.startswith("#")) == "*"
    assert all((ROOT / source).exists() for source in copied)


def test_it_installs_what_serves_and_nothing_that_runs_a_model() -> None:
    (extras,) = re.findall(r'"\.\[([\w,]+)\]"', FILE.read_text(encoding="utf-8"))
    known = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(extras.split(",")) == {"site", "serve"} <= known["optional-dependencies"].keys()


def test_it_runs_as_nobody_in_particular_with_its_own_folders_and_no_secret() -> None:
    assert words_of("USER") == [f"{USER}:{USER}"]
    variables = environment()
    assert {variables["BENCH_FOLDER"], variables["XDG_CONFIG_HOME"]} == set(program(words_of("VOLUME")[0]))
    assert not re.search("password|token|secret", " ".join(map(" ".join, instructions())).lower())


def test_its_command_can_be_typed_and_answers_where_its_health_is_asked() -> None:
    (command,), (health,) = words_of("CMD"), words_of("HEALTHCHECK")
    assert program(command)[:3] == ["bench", "site", "serve"]
    serve().make_context("serve", program(command)[3:])
    assert f"127.0.0.1:{PORT}/healthz" in program(health)[-1]
    assert words_of("EXPOSE") == [PORT]


def test_hadolint_has_nothing_to_say() -> None:
    checker = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if checker is None:
        pytest.skip("needs hadolint")
    ended = subprocess.run([checker, str(FILE)], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")


# --- the compose file -------------------------------------------------------------------------------------


def test_only_the_proxy_of_the_host_reaches_the_site_and_nobody_the_database() -> None:
    services, networks = compose()["services"], compose()["networks"]
    assert all(port.startswith("127.0.0.1:") for port in services["site"]["ports"])
    assert "ports" not in services["database"]
    assert [networks[name] for name in services["database"]["networks"]] == [{"internal": True}]
    (front,) = networks["front"]["ipam"]["config"]
    assert services["site"]["environment"]["BENCH_TRUST_PROXY"] == front["gateway"]


def test_the_site_gets_variables_that_serve_knows_and_waits_for_the_database() -> None:
    site = compose()["services"]["site"]
    assert set(site["environment"]) <= {each.envvar for each in serve().params}
    assert site["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert "healthcheck" in compose()["services"]["database"]
    assert site["read_only"] is True
    assert (ROOT / site["build"]["dockerfile"]) == FILE


def test_secrets_are_files_that_git_ignores_and_volumes_are_named() -> None:
    content = compose()
    files = [each["file"] for each in content["secrets"].values()]
    ignored = subprocess.run(
        ["git", "check-ignore", *files], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ignored.stdout.split() == files
    used = {each.split(":")[0] for one in content["services"].values() for each in one["volumes"]}
    assert used == content["volumes"].keys()
    mounted = {each.split(":")[1] for each in content["services"]["site"]["volumes"]}
    assert mounted == set(program(words_of("VOLUME")[0]))
    for secret in content["services"]["site"]["secrets"]:
        assert f"@/run/secrets/{secret}" in content["services"]["site"]["environment"].values()


# --- its commands, outside a container --------------------------------------------------------------------


@pytest.mark.light
@pytest.mark.timeout(900)
def test_what_the_image_runs_builds_serves_is_healthy_and_stops(tmp_path: Path) -> None:
    """As this user, not as that of the image. pip asks PyPI."""
    port, image = str(free_port()), tmp_path

    def here(text: str) -> str:
        moved = re.sub(r"(?<![\w.])/(opt|srv)(?=/)", rf"{image}/\1", text)
        return re.sub(rf"\b{PORT}\b", port, moved)

    context, path = image / "src", f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    context.mkdir()
    (image / "opt").mkdir()
    (image / "srv").mkdir()
    is_root = os.geteuid() == 0
    for name, rest in instructions():
        if name == "COPY" and "--from" not in rest:
            for source in rest.split()[:-1]:
                copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
                copy(ROOT / source, context / source)
        if name == "RUN":
            command = here(rest) if is_root else re.sub(r"--(owner|group)=\S+", "", here(rest))
            subprocess.run(
                ["bash", "-ec", command], cwd=context, check=True, env={**os.environ, "PATH": path}
            )
    assert not list((image / "opt").rglob("site-packages/torch"))

    variables = {name: here(value) for name, value in environment().items()}

    def started(words: list[str]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            list(map(here, words)), env=variables, cwd="/", stderr=subprocess.PIPE, text=True
        )

    with started([*program(words_of("CMD")[0]), "--origin", "https://results.example.org"]) as server:
        try:
            wait_for_line(server, "Ctrl-C stops")
            with started(program(words_of("HEALTHCHECK")[0])) as health:
                assert health.wait(60) == 0
            assert "not built" not in wait_for_line(server, "the site was ")
            answer = httpx2.get(f"http://127.0.0.1:{port}/contribute/")
            assert "--to https://results.example.org" in answer.text
            with started(["bench", "site", "queue"]) as queue:
                assert queue.wait(60) == 0
        finally:
            server.terminate()
        assert server.wait(60) in {0, 143}
    with started(program(words_of("HEALTHCHECK")[0])) as health:
        assert health.wait(60) != 0, "nobody answers"
