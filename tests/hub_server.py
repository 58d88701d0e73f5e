"""A small Hub on 127.0.0.1: real HTTP, the part of the protocol that fetching a model needs, and its faults.

As on the real Hub, large files are answered with a redirect to another origin (`localhost` here), which
knows nothing of accounts.
"""

import hashlib
import json
import ssl
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from urllib.parse import unquote, urlsplit

API = "api"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content)).hexdigest()


@dataclass(frozen=True)
class Cut:
    """Close the connection after so many bytes of the body."""

    after_bytes: int


@dataclass(frozen=True)
class Stall(Cut):
    """Send so many bytes of the body, then nothing more until the client leaves."""

    reached: Event = field(default_factory=Event)


@dataclass(frozen=True)
class Status:
    """Answer with an error."""

    code: int
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Body:
    """Answer 200 with this."""

    content: bytes


@dataclass(frozen=True)
class IgnoreRange:
    """Send the whole file whatever range was asked for."""


Fault = Cut | Status | Body | IgnoreRange


@dataclass(frozen=True)
class Asked:
    """One request as it came in; `file` is empty for questions to the API."""

    method: str
    host: str
    revision: str
    file: str
    range: str | None
    authorization: str | None


@dataclass
class Repo:
    """Commits hold files by name; branches point to commits. `stated` changes what is said about a file."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    stated: dict[str, dict[str, object]] = field(default_factory=dict)

    def commit(self, files: dict[str, bytes], branch: str = "main") -> str:
        name = hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()
        self.commits[name] = dict(files)
        self.branches[branch] = name
        return name

    def sibling(self, name: str, content: bytes) -> dict[str, object]:
        entry: dict[str, object] = {"rfilename": name, "size": len(content), "blobId": git_sha1(content)}
        if is_large(name):
            entry["lfs"] = {"size": len(content), "sha256": sha256(content), "pointerSize": 134}
        changed = self.stated.get(name, {})
        lfs = changed.get("lfs")
        if isinstance(lfs, dict) and isinstance(entry.get("lfs"), dict):
            changed = {**changed, "lfs": {**entry["lfs"], **lfs}}  # type: ignore[dict-item]
        return {**entry, **changed}

    def info(self, name: str, revision: str) -> bytes:
        """What the API says about a revision."""
        commit = self.branches.get(revision, revision)
        siblings = [self.sibling(file, content) for file, content in self.commits[commit].items()]
        return json.dumps({"id": name, "sha": commit, "siblings": siblings}).encode()


def is_large(name: str) -> bool:
    return name.endswith((".safetensors", ".bin", "tokenizer.json"))


@dataclass
class Hub:
    """What the server offers, what goes wrong, and what was asked.

    `faults`: by file name (or `API`), used up in order; `broken`: the same, for good.
    """

    port: int = 0
    repos: dict[str, Repo] = field(default_factory=lambda: defaultdict(Repo))
    faults: dict[str, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    broken: dict[str, Fault] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fault(self, what: str) -> Fault | None:
        with self.lock:
            return self.faults[what].pop(0) if self.faults[what] else self.broken.get(what)

    def contents(self) -> list[Asked]:
        """The requests that were answered with the content of a file."""
        return [one for one in self.asked if one.file and (one.host == "localhost") == is_large(one.file)]


@contextmanager
def serve(certificate: tuple[Path, Path] | None = None) -> Iterator[Hub]:
    """Run a Hub on a free port until the block ends; with a certificate and its key it speaks TLS."""
    hub = Hub()

    class Handler(_Handler):
        state = hub

    server = _Server(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    hub.port = server.server_address[1]
    with _running(server):
        yield hub


@contextmanager
def proxy(status: int) -> Iterator[str]:
    """Run a proxy that answers every request with this status; its address."""

    class Handler(_Handler):
        def do_CONNECT(self) -> None:
            self._error(Status(status))

        do_GET = do_CONNECT

    server = _Server(("127.0.0.1", 0), Handler)
    with _running(server):
        yield f"http://127.0.0.1:{server.server_address[1]}"


@contextmanager
def _running(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no event; anything else fails the test that asked."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body are two writes: the body would wait some 40 ms for the client to confirm the headers.
    disable_nagle_algorithm = True
    state: Hub

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        if parts[:2] == ["api", "models"]:
            self._model_info("/".join(parts[2:4]), parts[5] if len(parts) > 5 else "main")
        elif len(parts) >= 5 and parts[2] == "resolve":
            self._file("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        else:
            self._error(Status(404))

    def _note(self, revision: str, file: str) -> None:
        host = (self.headers["Host"] or "").partition(":")[0]
        asked = Asked(
            self.command, host, revision, file, self.headers["Range"], self.headers["Authorization"]
        )
        with self.state.lock:
            self.state.asked.append(asked)

    def _model_info(self, name: str, revision: str) -> None:
        self._note(revision, "")
        match self.state.fault(API):
            case Status() as status:
                return self._error(status)
            case Body(content):
                return self._send(content)
        found = self._commit(name, revision)
        if found is None:
            return None
        repo, commit = found
        return self._send(repo.info(name, commit))

    def _commit(self, name: str, revision: str) -> tuple[Repo, str] | None:
        if name not in self.state.repos:
            self._error(Status(404, (("X-Error-Code", "RepoNotFound"),)))
            return None
        repo = self.state.repos[name]
        commit = repo.branches.get(revision, revision)
        if commit not in repo.commits:
            self._error(Status(404, (("X-Error-Code", "RevisionNotFound"),)))
            return None
        return repo, commit

    def _file(self, name: str, revision: str, file: str) -> None:
        self._note(revision, file)
        found = self._commit(name, revision)
        if found is None:
            return
        repo, commit = found
        if file not in repo.commits[commit]:
            self._error(Status(404, (("X-Error-Code", "EntryNotFound"),)))
        elif is_large(file) and self.state.asked[-1].host != "localhost":
            self._redirect(commit, repo.commits[commit][file])
        else:
            self._content(commit, repo.commits[commit][file], self.state.fault(file))

    def _redirect(self, commit: str, content: bytes) -> None:
        self.send_response(302)
        self.send_header("Location", f"http://localhost:{self.state.port}{self.path}")
        self.send_header("X-Repo-Commit", commit)
        self.send_header("X-Linked-Etag", f'"{sha256(content)}"')
        self.send_header("X-Linked-Size", str(len(content)))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _content(self, commit: str, content: bytes, fault: Fault | None) -> None:
        if isinstance(fault, Status):
            return self._error(fault)
        if isinstance(fault, Body):
            content = fault.content
        first, last, whole = 0, len(content) - 1, True
        asked = self.headers["Range"]
        if asked and not isinstance(fault, IgnoreRange):
            begin, _, end = asked.removeprefix("bytes=").partition("-")
            first, last = int(begin), min(int(end or last), last)
            whole = (first, last) == (0, len(content) - 1)
        headers = {"X-Repo-Commit": commit, "ETag": f'"{git_sha1(content)}"', "Accept-Ranges": "bytes"}
        if not whole:
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
        cut = fault if isinstance(fault, Cut) else None
        return self._send(content[first : last + 1], 200 if whole else 206, headers, cut)

    def _error(self, status: Status) -> None:
        self._send(b"{}", status.code, dict(status.headers))

    def _send(
        self,
        body: bytes,
        code: int = 200,
        headers: dict[str, str] | None = None,
        cut: Cut | None = None,
    ) -> None:
        self.send_response(code)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body if cut is None else body[: cut.after_bytes])
        if isinstance(cut, Stall):
            cut.reached.set()
            self.rfile.read(1)
        if cut is not None:
            self.close_connection = True
