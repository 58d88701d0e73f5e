"""The form of a served site: a real Chromium drops files on it, and a real server answers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import httpx2
import pytest
from playwright.sync_api import Browser, Page

from bench.receiver.database import Database, url_of
from bench.receiver.http.limits import Rate
from bench.receiver.states import State
from bench.receiver.submissions import listed
from bench.records.submission import MOST_BYTES
from bench.site import places
from bench.site.pages import render
from tests.identity.signers import bundled
from tests.receiver.http.serving import FREE, served
from tests.receiver.sent import bundle, every
from tests.report.browsing import POOR_CONTRAST, Overheard, barriers
from tests.site.results import entry_id, run, sealed
from tests.validate.edits import document_of
from tools.picture import chromium

pytestmark = pytest.mark.browser

PLACE = f"/{places.CONTRIBUTE}"
BAD = "<img src=x onerror=alert(1)>\u202e.json"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("public")
    page = render.contribute("https://results.example.org").encode()
    for path, content in {places.CONTRIBUTE: page, **render.assets()}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(url_of(tmp_path / "receiver.sqlite")) as opened:
        yield opened


@pytest.fixture
def client(database: Database, public: Path) -> Iterator[httpx2.Client]:
    with served(database, public, []) as found:
        yield found


@pytest.fixture
def page(browser: Browser, client: httpx2.Client) -> Iterator[Page]:
    opened = browser.new_page()
    opened.goto(f"{client.base_url}{PLACE}")
    yield opened
    opened.close()


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def drop(page: Page, *files: Path, at: str = "h1") -> None:
    """Drag files from outside over the page, and drop them, as the browser itself does."""
    page.locator(at).scroll_into_view_if_needed()
    box = page.locator(at).bounding_box()
    assert box is not None
    data = {"items": [], "files": [str(path) for path in files], "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send(
            "Input.dispatchDragEvent", {"type": kind, "x": box["x"] + 9, "y": box["y"] + 9, "data": data}
        )


def answered(page: Page, words: str) -> str:
    """Wait for an answer that begins so, and return all of it."""
    page.locator("#answer .word").filter(has_text=words).wait_for()
    return page.locator("#answer").inner_text()


def send(page: Page, words: str) -> str:
    page.get_by_role("button", name="Send").click()
    return answered(page, words)


def test_a_bundle_that_is_dropped_is_stored_and_its_state_and_page_are_shown(
    page: Page, database: Database, tmp_path: Path
) -> None:
    drop(page, written(tmp_path, "mine.bundle.json", bundle()))
    assert "mine.bundle.json, " in page.locator("#chosen").inner_text()
    assert every(database, listed, [State.VALID]) == [], "not before somebody says so"
    assert "valid: the next build of the site shows it." in send(page, "The site has it.")
    (one,) = every(database, listed, [State.VALID])
    links = page.locator("#answer a").evaluate_all("links => links.map((link) => link.href)")
    origin = page.url.removesuffix(PLACE)
    assert links == [f"{origin}/records/{one.id}/", f"{origin}/api/submissions/{one.id}"]
    send(page, "The site had this record already.")
    assert len(every(database, listed, list(State))) == 1


def test_a_note_is_held_with_its_reason(page: Page, tmp_path: Path) -> None:
    drop(page, written(tmp_path, "mine.bundle.json", bundle(note="hello")), at="#upload")
    said = send(page, "The site has it.")
    assert "held: a person looks at it first." in said
    assert "Reason: a person reads the note first" in said


def test_an_edited_record_is_refused_with_its_findings_as_text(
    page: Page, database: Database, tmp_path: Path
) -> None:
    edited = sealed(document_of(run(1)), {"cells[0].summary.decode_tokens_per_s.median": 99999.0})
    drop(page, written(tmp_path, BAD, bundled(edited)))
    said = send(page, "Refused: the record has errors")
    assert "error: " in said
    assert "cells[0].summary.decode_tokens_per_s" in said
    assert page.evaluate("document.images.length") == 0
    assert every(database, listed, list(State)) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG not at all", "Refused: "),
        (b"{}", "Refused: "),
        (b"", "Refused: "),
        (b"[" * 100_000, "Refused: "),
    ],
    ids=["picture", "object", "empty", "deep"],
)
def test_what_is_no_bundle_is_refused(page: Page, tmp_path: Path, content: bytes, words: str) -> None:
    drop(page, written(tmp_path, "x.json", content))
    assert send(page, words)


def test_a_huge_file_several_and_a_folder_are_not_sent(page: Page, tmp_path: Path) -> None:
    huge, small = written(tmp_path, "huge.json", b" " * (MOST_BYTES + 1)), written(tmp_path, "a.json", b"{}")
    button = page.get_by_role("button", name="Send")
    drop(page, huge)
    assert "at most 4.2 MB" in answered(page, "This file is too large")
    assert button.is_disabled()
    drop(page, small, huge)
    answered(page, "Send one bundle at a time.")
    assert button.is_disabled()
    (tmp_path / "folder").mkdir()
    drop(page, tmp_path / "folder")
    send(page, "The file cannot be read, or the site does not answer.")


def test_the_keyboard_alone_is_enough(page: Page, tmp_path: Path) -> None:
    page.locator("#bundle").set_input_files(written(tmp_path, "mine.bundle.json", bundle()))
    page.locator("#bundle").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Send"
    page.keyboard.press("Enter")
    answered(page, "The site has it.")
    assert page.evaluate("document.activeElement.textContent") == "Send", "the focus stays"


def test_a_busy_site_says_when_to_come_again(
    browser: Browser, database: Database, public: Path, tmp_path: Path
) -> None:
    with served(database, public, [], of_address=Rate(per_s=0.1, burst=1), of_all=FREE) as client:
        page = browser.new_page()
        page.goto(f"{client.base_url}{PLACE}")
        drop(page, written(tmp_path, "x.json", b"{}"))
        send(page, "Refused: ")
        send(page, "The site is busy. Send it again in 10 s.")
        page.close()


def test_a_site_that_is_gone_is_said(page: Page, tmp_path: Path) -> None:
    page.context.set_offline(True)
    drop(page, written(tmp_path, "mine.bundle.json", bundle()))
    send(page, "The file cannot be read, or the site does not answer.")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_with_every_answer_it_fits_is_readable_accessible_and_quiet(
    browser: Browser, client: httpx2.Client, tmp_path: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    overheard = Overheard()
    overheard.listen(page)
    page.goto(f"{client.base_url}{PLACE}")
    edited = sealed(document_of(run(1)), {"cells[0].summary.decode_tokens_per_s.median": 99999.0})
    for content, words in ((b"", ""), (bundled(edited), "Refused: "), (bundle(), "The site has it.")):
        if words:
            drop(page, written(tmp_path, f"{'x' * 80}.bundle.json", content))
            send(page, words)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(POOR_CONTRAST) == []
        assert barriers(page) == []
    expected = [text for text in overheard.said if "422" not in text and "favicon" not in text]
    assert expected == [], "a refusal is the only thing that the browser itself mentions"
    assert all(url.startswith(str(client.base_url)) for url in overheard.asked)
    assert client.get(f"/api/submissions/{entry_id(run(1))}").json()["state"] == "valid"
    page.close()


def test_without_scripts_the_command_is_there_and_the_form_is_not(
    browser: Browser, client: httpx2.Client
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{client.base_url}{PLACE}")
    assert not page.locator("#upload").is_visible()
    section = page.locator("section", has=page.get_by_role("heading", name="Send a bundle"))
    assert "bench submit RECORD --to https://results.example.org" in section.inner_text()
    context.close()
