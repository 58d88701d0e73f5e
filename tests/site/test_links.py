"""A whole site: every link leads to a file of it, and no page says or loads what it must not."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from bench.records.enums import WeightMode
from bench.site import places
from tests.identity.signers import URL
from tests.site.results import (
    CARD,
    MODEL,
    RUN,
    built,
    confirm_key,
    decide,
    entry_id,
    put,
    put_edited,
    revoke_key,
    run,
)
from tests.validate.recipes import Recipe

OUTSIDE = ("https://creativecommons.org/", URL)
BAD = "<script>alert(1)</script>\u202e"


class Page(HTMLParser):
    """The links, the ids and the policy of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.ids: list[str] = []
        self.policy = ""
        self.title = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if "id" in given:
            self.ids.append(given["id"] or "")
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""
        for name in ("href", "src"):
            if name in given:
                kind = self.links if tag == "a" else self.loaded
                kind.append(given[name] or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records in every state on one card, a prediction, and a card that is only predicted."""
    folder = tmp_path_factory.mktemp("site")
    results, out = folder / "results", folder / "public"
    for seed in range(3):
        put(results, run(seed), f"{seed}", key=seed, note=BAD, handle=f"ada-{seed}")
    put(results, run(9, replace(RUN, pace=2.0)), "slow", key=9)
    put(results, run(0), "stolen", key=7)
    put_edited(results, run(5), {"cells[0].summary.latency_s.median": 12_345.0}, "edited")
    put(results, run(6), "gone", key=6)
    decide(results, "withdrawn", entry_id(run(6)), BAD)
    put(results, run(11, replace(RUN, weights=WeightMode.RANDOM, has_power=False)), "random", key=1)
    put(results, run(12, Recipe(card=CARD, weights=WeightMode.TINY, suite="smoke")), "smoke", key=1)
    confirm_key(results, 1)
    revoke_key(results, 2, BAD)
    built(results, out, predicted=[(MODEL, CARD), (MODEL, "rtx-4070")])
    return out


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}


def targets(path: Path, links: list[str]) -> Iterator[tuple[Path, str]]:
    """The file and the anchor of each link to this site."""
    for link in links:
        if not link.startswith(OUTSIDE):
            file, _, anchor = link.partition("#")
            yield (path.parent / unquote(file)).resolve() if file else path.resolve(), anchor


def test_every_link_leads_to_a_file_and_every_anchor_to_an_id(pages: dict[Path, Page]) -> None:
    assert len(pages) > 10
    known = {path.resolve(): page for path, page in pages.items()}
    for path, page in pages.items():
        for file, anchor in targets(path, [*page.links, *page.loaded]):
            assert file.is_file(), (path, file)
            assert not anchor or anchor in known[file].ids, (path, anchor)


def test_links_hold_below_any_path(pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        for link in (*page.links, *page.loaded):
            assert not link.startswith("/"), (path, link)
            assert "://" not in link or (link.startswith(OUTSIDE) and link in page.links), (path, link)


def test_an_account_leads_to_the_file_that_confirms_it(pages: dict[Path, Page]) -> None:
    assert any(URL in page.links for page in pages.values())


def test_ids_of_a_page_are_its_own(pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        assert len(set(page.ids)) == len(page.ids), path


def test_every_page_has_a_policy_that_loads_nothing_from_elsewhere(pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        assert page.policy.startswith("default-src 'none'; "), path
        assert re.search(r"script-src ('none'|'self'|'sha256-[^']+');", page.policy), path
        assert all(word not in page.policy for word in ("http", "*", "unsafe-eval", "data:")), path


def test_text_of_strangers_is_escaped_everywhere(site: Path, pages: dict[Path, Page]) -> None:
    shown = 0
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert "<script>alert" not in text, path
        assert "\u202e" not in text, path
        shown += "&lt;script&gt;alert" in text
    assert shown > 3  # the notes of records, the reason of a withdrawal


def test_the_front_page_leads_to_every_card(site: Path, pages: dict[Path, Page]) -> None:
    links = pages[site / places.FRONT].links
    for page in (site / "check").rglob("index.html"):
        assert page.relative_to(site).as_posix() in links
