"""All pages but the front page in a real Chromium, opened from a folder and from a server."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final, Literal

import pytest
from playwright.sync_api import Browser

from bench.records.enums import WeightMode
from bench.site import places
from bench.site.interface import (
    Apart,
    DataFile,
    Freshness,
    Identity,
    NonceRole,
    Plausible,
    RecordPage,
    SameNonce,
    State,
)
from bench.site.pages import render
from tests.report.browsing import POOR_CONTRAST, Overheard, barriers
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.challenged import challenged
from tests.samples.named import RECORDS
from tests.samples.reruns import rerun
from tests.site.pages.samples import (
    KEY,
    Given,
    answers,
    card_page,
    entry,
    finding,
    index,
    record_page,
    summary,
)
from tests.site.predicted import predicted
from tests.validate.good import ordinary
from tools.picture import chromium, show

pytestmark = pytest.mark.browser

RAN: Final = sample.all_measured_48()
SUSPICIOUS: Final = finding("decode_near_bandwidth", ratio=0.97)
HELD: Final[Given] = {
    "state": State.HELD,
    "findings": (SUSPICIOUS,),
    "answers": answers(plausible=Plausible.HELD, findings=(SUSPICIOUS,)),
}
LONG: Final = "uni.example/" + "w" * 480
CONFIRMED: Final = answers().model_copy(
    update={
        "identity": Identity(
            key_id=KEY,
            first_seen=None,
            account=LONG,
            account_url=f"https://{LONG}",
            confirmed_at=datetime(2026, 12, 1, tzinfo=UTC),
        )
    }
)
BAD: Final = "<script>alert(1)</script>\u202e<img src=x onerror=alert(1)>"


def card(slug: str) -> str:
    return places.card_page("MOSS-Audio-4B-Instruct", slug)


PAGES: Final = {
    "measured card": card("rtx-4070"),
    "predicted card": card("rtx-4090"),
    "card without figures": card("gb10"),
    "hostile card": card("hostile"),
    "held record": places.record_page("1" * 16),
    "hostile record": places.record_page("2" * 16),
    "withdrawn record": places.record_page("3" * 16),
    "record with a challenge": places.record_page("4" * 16),
    "contribute": places.CONTRIBUTE,
    "data": places.DATA,
    "not found": places.NOT_FOUND,
}


def challenged_page() -> RecordPage:
    """The page of a record whose nonce others have, under long names."""
    page = record_page(challenged(ordinary()))
    other = SameNonce(
        id="ab" * 8,
        key_id=KEY,
        account=LONG,
        role=NonceRole.UNDECLARED,
        weight_mode=WeightMode.HUB,
        agreeing=17,
        count=32,
    )
    found = Freshness(
        received_at=datetime(2026, 12, 1, tzinfo=UTC),
        is_own=False,
        is_first=False,
        agreeing_accounts=1,
        agreeing_keys=2,
        others=(other, other.model_copy(update={"role": NonceRole.CHECKS, "agreeing": 32})),
        left_out=3,
    )
    challenge = page.entry.head.challenge
    assert challenge is not None
    head = page.entry.head.model_copy(
        update={"challenge": challenge.model_copy(update={"site": f"https://{LONG}"})}
    )
    entry = page.entry.model_copy(update={"head": head, "freshness": found})
    return page.model_copy(update={"entry": entry})


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of one page of each kind."""
    plan = derived.derived_record()
    entries = (entry(RAN, handle="ada", answers=CONFIRMED), entry(rerun(RAN, 2), **HELD))
    bad = entry(RECORDS["hostile"], state=State.HELD, handle=BAD, reason=BAD)
    texts = {
        places.FRONT: render.front(index(summary(plan)), predicted()),
        PAGES["measured card"]: render.card(
            card_page(
                RAN,
                rerun(RAN, 2),
                prediction=plan,
                entries=entries,
                others=(entry(sample.smoke(), apart=Apart.SMOKE),),
            )
        ),
        PAGES["predicted card"]: render.card(card_page(prediction=plan)),
        PAGES["card without figures"]: render.card(card_page(entries=(bad,), name=BAD)),
        PAGES["hostile card"]: render.card(card_page(RECORDS["hostile"], entries=(bad,), name=BAD)),
        PAGES["held record"]: render.record(record_page(RAN, **HELD)),
        PAGES["hostile record"]: render.record(
            record_page(RECORDS["hostile"], handle=BAD, note=BAD, answers=CONFIRMED)
        ),
        PAGES["record with a challenge"]: render.record(challenged_page()),
        PAGES["withdrawn record"]: render.record(
            record_page(RAN, shows_figures=False, state=State.WITHDRAWN, reason=BAD)
        ),
        PAGES["contribute"]: render.contribute(),
        PAGES["data"]: render.data((DataFile(name="cells.csv", size_bytes=10, sha256="a" * 64),)),
        PAGES["not found"]: render.not_found(),
    }
    root = tmp_path_factory.mktemp("site")
    for path, content in {
        **{path: text.encode() for path, text in texts.items()},
        **render.assets(),
        "data/cells.csv": b"",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The site on a server that shows its page for what does not exist, below a path."""

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            self.path = self.path.removeprefix("/bench")
            if not Path(self.translate_path(self.path)).exists():
                self.path = "/404.html"
            super().do_GET()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Ignore a browser that left before the end of a file."""

    with Server(("127.0.0.1", 0), partial(Handler, directory=site)) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/bench"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_it_fits_is_readable_accessible_and_quiet(
    browser: Browser, site: Path, name: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    overheard = Overheard()
    overheard.listen(page)
    show(page, site / PAGES[name])
    assert overheard.said == []
    assert all(url.startswith(site.as_uri()) for url in overheard.asked)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(POOR_CONTRAST) == []
    assert barriers(page) == []
    assert page.evaluate("document.images.length") == 0
    page.close()


def test_plots_are_drawn_from_the_files_of_a_server_too(browser: Browser, address: str) -> None:
    page, overheard = browser.new_page(), Overheard()
    overheard.listen(page)
    page.goto(f"{address}/{PAGES['measured card']}")
    page.wait_for_function("document.documentElement.dataset.plots === 'drawn'")
    assert page.locator(".canvas svg").count() > 1
    assert [text for text in overheard.said if "favicon" not in text] == []
    page.close()


@pytest.mark.parametrize(
    "path", ["nothing", "check/no/such/card/", "records/0/index.html", "contribute/x", "data/y/z"]
)
def test_from_an_address_that_does_not_exist_links_lead_to_the_site(
    browser: Browser, address: str, path: str
) -> None:
    page = browser.new_page()
    page.goto(f"{address}/{path}")
    assert page.get_by_role("heading", name="This page does not exist").is_visible()
    page.get_by_role("link", name="Contribute").click()
    assert page.url == f"{address}/contribute/index.html"
    page.close()


def test_the_keyboard_reaches_the_content_first(browser: Browser, site: Path) -> None:
    page = browser.new_page()
    show(page, site / PAGES["measured card"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    page.close()


def test_every_link_within_these_pages_leads_somewhere(browser: Browser, site: Path) -> None:
    """But to records and cards, of which this site has one each, and to the feed."""
    page = browser.new_page()
    for path in (PAGES["contribute"], PAGES["data"], PAGES["predicted card"], places.FRONT):
        page.goto((site / path).as_uri())
        for link in page.locator("a[href]").evaluate_all("links => links.map((link) => link.href)"):
            target, _, anchor = link.partition("#")
            if link.startswith("https://creativecommons.org/") or target.endswith(("feed.xml", "check.json")):
                continue
            assert Path(target.removeprefix("file://")).is_file(), (path, link)
            if anchor and target == page.url:
                assert page.locator(f"[id='{anchor}']").count() == 1, link
    page.close()
