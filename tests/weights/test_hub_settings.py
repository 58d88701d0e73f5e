"""Settings with which the Hub cannot be asked: real requests to real servers, all from one process.

A line of the process is what a person reads for one set of variables.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.weights.hub_settings import importable, set_aside
from tests.certificate import self_signed
from tests.hub_server import Hub, proxy, serve
from tests.weights.conftest import REPO, ROOT
from tests.weights.samples import checkpoint

_DRIVER = """
import json, os, sys
from huggingface_hub import constants, utils
from bench.errors import BenchError
from bench.weights import hub

def asked(variables):
    os.environ.update(variables)
    constants.ENDPOINT = os.environ["HF_ENDPOINT"]
    getattr(utils, "close_session", lambda: None)()  # httpx reads the variables when it is opened
    try:
        return hub.plan(sys.argv[1]).note
    except BenchError as error:
        return f"{int(error.exit_code)} {error}"
    finally:
        for name in set(variables) - {"HF_ENDPOINT"}:
            del os.environ[name]

print(json.dumps([asked(json.loads(line)) for line in sys.argv[2:]]))
"""


def lines(home: Path, *cases: dict[str, str]) -> list[str | None]:
    """What `hub.plan` says with each set of variables."""
    base = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(home),
        "HF_HOME": str(home / "hf"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    ended = subprocess.run(
        [sys.executable, "-c", _DRIVER, REPO, *map(json.dumps, cases)],
        env=base,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
    said: list[str | None] = json.loads(ended.stdout)
    assert all(line is None or line.isprintable() for line in said)
    return said


AWAY = {"HF_ENDPOINT": "https://hub.example"}


def test_proxies_that_do_not_serve(tmp_path: Path) -> None:
    with proxy(407) as closed, proxy(403) as strict:
        said = lines(
            tmp_path,
            {**AWAY, "HTTPS_PROXY": closed},
            {"HF_ENDPOINT": "http://hub.example", "http_proxy": closed},
            {**AWAY, "HTTPS_PROXY": strict},
            {**AWAY, "ALL_PROXY": "socks://me:secret@127.0.0.1:1080/"},
            {**AWAY, "HTTPS_PROXY": "http://me:secret@[::1"},
            {**AWAY, "HTTPS_PROXY": "http://127.0.0.1:9"},
        )
    assert said[:5] == [
        "3 The proxy wants a name and a password (HTTP 407). "
        "Write them into HTTPS_PROXY: http://NAME:PASSWORD@HOST:PORT",
        "3 The proxy wants a name and a password (HTTP 407). "
        "Write them into http_proxy: http://NAME:PASSWORD@HOST:PORT",
        "3 The proxy in HTTPS_PROXY does not connect to the Hub (HTTP 403). "
        "Ask the administrator of the proxy to allow it, or download elsewhere and pass --model DIR",
        "3 The proxy in ALL_PROXY has an address of an unknown kind. "
        "Begin it with socks5://, or unset ALL_PROXY",
        "3 The proxy in HTTPS_PROXY has no valid address. Correct or unset HTTPS_PROXY",
    ]
    assert "(the connection is refused)" in (said[5] or "")
    assert "Check the connection and HTTPS_PROXY" in (said[5] or "")


def test_a_socks_proxy_names_the_package_that_it_needs(tmp_path: Path) -> None:
    for package in ("socksio", "socks"):  # those of httpx and requests
        (tmp_path / f"{package}.py").write_text("raise ImportError('as if it were not installed')")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{_DRIVER}"
    case = json.dumps({**AWAY, "ALL_PROXY": "socks5h://me:secret@127.0.0.1:1080"})
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HF_HOME": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", code, REPO, case],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    (line,) = json.loads(ended.stdout)
    assert "The proxy in ALL_PROXY is a SOCKS proxy, and the package for it is not installed" in line
    assert line.endswith("[socks]'`, or unset ALL_PROXY")


def test_addresses_and_tokens_that_are_none(tmp_path: Path, hub: Hub) -> None:
    marked, wide = tmp_path / "marked", tmp_path / "wide"
    marked.write_bytes("hf_secret".encode("utf-8-sig"))
    wide.write_bytes("hf_secret".encode("utf-16"))
    said = lines(
        tmp_path,
        {"HF_ENDPOINT": "hf-mirror.example"},
        {"HF_ENDPOINT": "localhost:8080/"},
        {"HF_ENDPOINT": ""},
        {"HF_ENDPOINT": "http://"},
        {"HF_ENDPOINT": "ftp://hub.example"},
        {"HF_ENDPOINT": "https://hub.example\n"},
        {"HF_ENDPOINT": hub.endpoint, "HF_TOKEN": "hf_\u6d4b\u8bd5"},
        {"HF_ENDPOINT": hub.endpoint.replace("http:", "https:")},
        {"HF_ENDPOINT": "http://no.such.host.invalid"},
    )
    none = (
        "3 HF_ENDPOINT is not a web address. Unset HF_ENDPOINT, or set it to an address such as https://HOST"
    )
    assert said[:2] == [
        "3 HF_ENDPOINT lacks https://. Set HF_ENDPOINT=https://hf-mirror.example",
        "3 HF_ENDPOINT lacks https://. Set HF_ENDPOINT=https://localhost:8080",
    ]
    assert said[2:6] == [none] * 4
    assert said[6] == (
        "3 The token in HF_TOKEN contains a character that no token has. "
        "Copy it again from https://huggingface.co/settings/tokens, or unset HF_TOKEN"
    )
    assert "could not be encrypted" in (said[7] or "")
    assert "(its name is not known here)" in (said[8] or "")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_token_file_that_an_editor_saved_is_named(tmp_path: Path, hub: Hub, encoding: str) -> None:
    file = tmp_path / "hf" / "token"
    file.parent.mkdir()
    file.write_bytes("hf_secret".encode(encoding))
    (line,) = lines(tmp_path, {"HF_ENDPOINT": hub.endpoint})
    assert f"The token in {file} contains a character that no token has" in (line or "")
    assert "run `hf auth logout`" in (line or "")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for localhost, and its key."""
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def secured(certificate: tuple[Path, Path]) -> Iterator[str]:
    """The address of a Hub whose certificate nobody knows."""
    with serve(certificate) as running:
        running.repos[REPO].commit(checkpoint())
        yield f"https://localhost:{running.port}"


def test_certificates_that_are_not_trusted_missing_or_none(
    tmp_path: Path, secured: str, certificate: tuple[Path, Path]
) -> None:
    (tmp_path / "garbage.pem").write_text("no certificate at all")
    files = (tmp_path / "absent.pem", tmp_path / "garbage.pem", certificate[0])

    def with_file(file: Path) -> dict[str, str]:
        return {"HF_ENDPOINT": secured, "SSL_CERT_FILE": str(file), "REQUESTS_CA_BUNDLE": str(file)}

    unknown, missing, none, known = lines(tmp_path, {"HF_ENDPOINT": secured}, *map(with_file, files))
    assert "The certificate of the Hub is not trusted" in (unknown or "")
    remedy = (unknown or "").partition("Set ")[2].partition(" ")[0]
    assert remedy in {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"}
    assert f"{remedy} names a certificate file that does not exist" in (missing or "")
    assert f"{remedy} names a file without certificates" in (none or "")
    assert known is None  # the remedy is true: with this file the Hub is asked


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("HF_ENDPOINT", "https://[::1", "HF_ENDPOINT is not a web address"),
        ("HF_ENDPOINT", "https://hub.example:99999", "HF_ENDPOINT is not a web address"),
        ("HF_HUB_DOWNLOAD_TIMEOUT", "soon", "HF_HUB_DOWNLOAD_TIMEOUT is not a whole number of seconds"),
        ("HF_HUB_ETAG_TIMEOUT", "1.5", "HF_HUB_ETAG_TIMEOUT is not a whole number of seconds"),
    ],
)
def test_values_with_which_the_library_is_not_even_imported(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, line: str
) -> None:
    monkeypatch.setenv(name, value)
    with set_aside() as fault:
        assert fault is not None
        assert name not in os.environ
    assert os.environ[name] == value
    assert fault.message == line
    assert f"unset {name}" in str(fault).replace("Unset", "unset")
    assert importable(os.environ) == {key: kept for key, kept in os.environ.items() if key != name}
    monkeypatch.delenv(name)
    with set_aside() as fault:
        assert fault is None


def test_complete_weights_win_over_a_value_with_which_the_library_is_not_imported(
    tmp_path: Path, hub: Hub
) -> None:
    """A download, then both broken: the copy in the cache is found and used, and the first one is named."""
    code = """
import os, sys
from bench.errors import BenchError
from bench.weights.hub_settings import set_aside
with set_aside() as fault:
    from bench.weights import headers, hub
    for function in (hub.plan, headers.remote_model):
        try:
            print(function(sys.argv[1], fault=fault).note)
        except BenchError as error:
            print(int(error.exit_code), error)
    if fault is None:
        hub.download(hub.plan(sys.argv[1]))
"""
    broken = {"HF_ENDPOINT": "https://[::1", "HF_HUB_DOWNLOAD_TIMEOUT": "soon"}
    base = os.environ | {
        "PYTHONPATH": str(ROOT),
        "HF_HOME": str(tmp_path / "hf"),
        "HF_ENDPOINT": hub.endpoint,
    }
    before, first, second = (
        subprocess.run(
            [sys.executable, "-c", code, REPO], env=base | more, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for more in (broken, {}, broken)
    )
    assert (
        before
        == [
            "3 HF_ENDPOINT is not a web address. Unset HF_ENDPOINT, or set it to an address such as https://HOST"
        ]
        * 2
    )
    assert first == ["None"] * 2
    assert len(second) == 2
    assert all(
        line.startswith(f"HF_ENDPOINT is not a web address. The complete copy of {REPO}") for line in second
    )
