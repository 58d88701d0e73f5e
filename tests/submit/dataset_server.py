"""A Hub on 127.0.0.1 that takes pull requests on datasets: the endpoints that its client really calls."""

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, unquote, urlsplit

from tests.submit.site_server import ThreadingServer, running

TOKEN = "hf_test"
ACCOUNT = "ada"
_PAGE = 2
"""Pull requests on a page."""


@dataclass(frozen=True)
class Pull:
    """A pull request with the file that it adds."""

    title: str
    author: str
    path: str
    content: bytes
    status: str = "open"


@dataclass
class LocalHub:
    """One dataset; `statuses`: what an endpoint answers instead, by its name, each once."""

    dataset: str
    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    pulls: list[Pull] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    loses_the_answer: bool = False
    asked: list[str] = field(default_factory=list)


@contextmanager
def serve_hub(dataset: str) -> Iterator[LocalHub]:
    """Run a Hub on a free port until the block ends."""
    hub = LocalHub(dataset)

    class Handler(_Handler):
        state = hub

    server = ThreadingServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    with running(server):
        yield hub


class _Handler(BaseHTTPRequestHandler):
    disable_nagle_algorithm = True
    state: LocalHub

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path, query = unquote(parts.path), parse_qs(parts.query)
        base = f"/api/datasets/{self.state.dataset}"
        if path == "/api/whoami-v2":
            self._answer("whoami", {"type": "user", "name": ACCOUNT})
        elif path == f"{base}/discussions":
            self._answer("discussions", self._discussions(query["author"][0], int(query["p"][0])))
        elif path == f"{base}/revision/main":  # asked before huggingface_hub 1.0
            self._answer("revision", {"id": self.state.dataset, "sha": "0" * 40, "xetEnabled": False})
        elif found := re.fullmatch(rf"/datasets/{self.state.dataset}/resolve/main/(.*)", path):
            known = self.state.files.get(found[1])
            if known is None:
                self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
            else:
                self._send(200, known, {"ETag": '"x"', "X-Repo-Commit": "0" * 40})
        else:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        parts = urlsplit(self.path)
        base = f"/api/datasets/{self.state.dataset}"
        if parse_qs(parts.query) != {"create_pr": ["1"]}:
            self._send(400, b"{}")
        elif parts.path == f"{base}/preupload/main":
            files = json.loads(body)["files"]
            modes = [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in files]
            self._answer("preupload", {"files": modes})
        elif parts.path == f"{base}/commit/main":
            self._commit([json.loads(line) for line in body.splitlines()])
        else:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def _discussions(self, author: str, page: int) -> dict[str, object]:
        theirs = [(number, pull) for number, pull in self._numbered() if pull.author == author]
        shown = theirs[page * _PAGE : (page + 1) * _PAGE]
        return {
            "count": len(theirs),
            "start": page * _PAGE,
            "discussions": [
                {
                    "num": number,
                    "title": pull.title,
                    "status": pull.status,
                    "author": {"name": pull.author},
                    "createdAt": "2026-06-07T20:15:00.000Z",
                    "repo": {"name": self.state.dataset, "type": "dataset"},
                    "isPullRequest": True,
                }
                for number, pull in shown
            ],
        }

    def _numbered(self) -> list[tuple[int, Pull]]:
        return list(enumerate(self.state.pulls, start=1))

    def _commit(self, lines: list[dict[str, dict[str, str]]]) -> None:
        if "commit" in self.state.statuses:
            return self._answer("commit", {})
        header, file = (line["value"] for line in lines)
        content = base64.b64decode(file["content"])
        self.state.pulls.append(Pull(header["summary"], ACCOUNT, file["path"], content))
        if self.state.loses_the_answer:
            self.state.loses_the_answer = False
            return None
        number = len(self.state.pulls)
        page = f"{self.state.url}/datasets/{self.state.dataset}"
        answer: dict[str, object] = {
            "commitUrl": f"{page}/commit/{'1' * 40}",
            "commitOid": "1" * 40,
            "pullRequestUrl": f"{page}/discussions/{number}",
        }
        return self._answer("commit", answer)

    def _answer(self, endpoint: str, document: dict[str, object]) -> None:
        self.state.asked.append(endpoint)
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            return self._send(401, b"{}")
        return self._send(self.state.statuses.pop(endpoint, 200), json.dumps(document).encode())

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
