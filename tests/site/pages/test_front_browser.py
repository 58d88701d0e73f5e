"""The front page in a real Chromium: the script's answers, by keyboard, on a phone, without scripts."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from bench.hardware.catalog import cards
from bench.site.lengths import PLACES
from bench.site.pages import assets, front
from bench.site.pages.finder import FITS, system_words
from tests.report.browsing import POOR_CONTRAST, Overheard, barriers
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.site.pages.samples import index, summary
from tests.site.predicted import predicted
from tools.picture import chromium

pytestmark = pytest.mark.browser

SHIFTS = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) sum += entry.value; })
    .observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(sum), 200);
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def written(root: Path, models: Iterable[str]) -> Path:
    """Write a front page with a row for each card and these models, one of them measured."""
    row = summary(derived.derived_record())
    rows = [
        row.model_copy(update={"model": model, "slug": card.slug, "name": card.nvml_name})
        for model in models
        for card in cards()
        if card.slug != "rtx-4090"
    ]
    measured = summary(
        sample.all_measured_48(), slug="rtx-4090", is_prediction=False, published=3, keys=2, reproduced=1
    )
    (root / "index.html").write_text(front.render(index(measured, *rows), predicted()), encoding="utf-8")
    for path, text in assets.files().items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root / "index.html"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The front page with all cards and models."""
    return written(tmp_path_factory.mktemp("site"), predicted().models)


@pytest.fixture(scope="module")
def one_row(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The front page with one row: rules about each element take long."""
    return written(tmp_path_factory.mktemp("site"), ())


@pytest.fixture
def page(browser: Browser, site: Path) -> Iterator[Page]:
    opened = browser.new_page()
    opened.goto(site.as_uri())
    yield opened
    opened.close()


def test_the_answers_of_the_script_are_those_of_the_predictions(page: Page) -> None:
    found, random = predicted(), Random(17)
    fields = {name: page.locator(f"#{name}") for name in ("card", "model", "system", "clip", "tokens")}
    for _ in range(40):
        card = random.choice([card for card in found.cards if card.lengths])
        at = random.randrange(len(found.cases))
        case = found.cases[at]
        near = random.choice([each for each in card.lengths[at] if each] or [60])
        clip = max(1, near + random.choice([-1, 0, 1]))
        fields["card"].fill(card.slug)
        fields["model"].select_option(
            next(name for name, shape in found.models.items() if shape == case.shape)
        )
        fields["system"].select_option(system_words(case.place))
        if page.locator("#desktop").is_enabled():
            page.locator("#desktop").select_option("1" if case.place.has_desktop else "")
        fields["tokens"].select_option(str(case.tokens))
        fields["clip"].fill(f"{clip} s")
        row = page.locator("#result .found tr").nth(["faithful", "lean"].index(case.profile.value))
        word, _tone = FITS[card.lengths[at].judge(clip, found.context_s[case.tokens])]
        assert row.locator(".word").inner_text() == word, (card.slug, case, clip)


def test_a_longer_clip_never_gets_a_better_word(page: Page) -> None:
    page.locator("#card").fill("rtx-3060-12gb")
    words = [word for word, _tone in FITS.values()]
    before = [0, 0]
    for clip in range(1, 3000, 97):
        page.locator("#clip").fill(str(clip))
        now = [words.index(each) for each in page.locator("#result .found .word").all_inner_texts()]
        assert all(old <= new for old, new in zip(before, now, strict=True))
        before = now


def test_every_card_is_found_by_slug_by_label_and_by_its_name(page: Page) -> None:
    field, result = page.locator("#card"), page.locator("#result")
    names = [card.name for card in predicted().cards]
    for card in predicted().cards:
        for text in (card.slug, card.label):
            field.fill(text)
            assert result.locator(".subject b").all_inner_texts() == [card.name], text
        field.fill(card.name)
        if names.count(card.name) == 1:
            assert result.locator(".subject b").all_inner_texts() == [card.name]
        else:
            assert any(text.startswith(card.label) for text in result.get_by_role("button").all_inner_texts())


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("4070", "NVIDIA GeForce RTX 4070"),
        ("geforce rtx 4090", "NVIDIA GeForce RTX 4090"),
        ("5090 laptop", "NVIDIA GeForce RTX 5090 Laptop GPU"),
        ("H200", "NVIDIA H200"),
    ],
)
def test_names_are_forgiving(page: Page, typed: str, name: str) -> None:
    page.locator("#card").fill(typed)
    assert page.locator("#result .subject b").inner_text() == name


def test_of_two_cards_one_is_chosen_from_the_keyboard(page: Page) -> None:
    page.locator("#card").fill("3060")
    page.get_by_role("button", name="RTX 3060 12 GB").press("Enter")
    assert page.locator("#result .subject").inner_text() == "NVIDIA GeForce RTX 3060 12.00 GiB"
    assert page.evaluate("document.activeElement.id") == "card"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("1:30", "90 s"),
        ("1.5 min", "90 s"),
        ("5m", "5 min"),
        ("0,5h", "30 min"),
        ("125.5", "2 min 6 s"),
        ("12", "12 s"),
    ],
)
def test_clip_lengths_are_read_as_people_write_them(page: Page, typed: str, said: str) -> None:
    page.locator("#card").fill("h200")
    page.locator("#clip").fill(typed)
    assert page.get_by_text(f"{said} with 512 new tokens").is_visible()


def test_what_cannot_be_read_or_found_says_what_to_do(page: Page) -> None:
    page.locator("#card").fill("4070")
    page.locator("#clip").fill("long")
    assert "90 s, 5 min or 1:30" in page.locator("#result").inner_text()
    page.locator("#clip").fill("60")
    page.locator("#card").fill("Voodoo 2")
    assert "not in the catalog yet" in page.locator("#result").inner_text()
    page.locator("#card").fill("t4")
    assert "No prediction" in page.locator("#result").inner_text()


def test_a_measured_card_shows_its_figures_and_all_lead_to_its_page(page: Page) -> None:
    page.locator("#card").fill("4090")
    result = page.locator("#result")
    assert "Longest clip: 600 s ran" in result.inner_text()
    assert "Records: 3 published by 2 keys" in result.inner_text()
    assert (
        result.get_by_role("link").get_attribute("href") == "check/MOSS-Audio-4B-Instruct/rtx-4090/index.html"
    )
    page.locator("#card").fill("4070")
    assert "Nobody has published a measurement" in result.inner_text()


def test_the_command_is_that_of_the_better_way(page: Page) -> None:
    page.locator("#card").fill("4070")
    page.locator("#clip").fill("300")
    assert page.locator("#result code").inner_text() == "bench run --gpu rtx-4070 --profile lean"
    page.locator("#clip").fill("2000")
    assert page.locator("#result code").inner_text() == "bench plan --any-gpu --clip-seconds 2000"


def test_a_system_that_always_has_a_desktop_says_so(page: Page) -> None:
    page.locator("#desktop").select_option("headless")
    page.locator("#system").select_option("WSL2")
    assert page.locator("#desktop").is_disabled()
    assert page.locator("#desktop option:checked").inner_text() == "with a desktop"


def test_a_visitor_on_windows_is_asked_about_windows(browser: Browser, site: Path) -> None:
    opened = browser.new_page()
    opened.add_init_script(
        "for (const [name, value] of [['platform', 'Win32'], ['userAgentData', undefined]])"
        " Object.defineProperty(navigator, name, {get: () => value});"
    )
    opened.goto(site.as_uri())
    assert opened.locator("#system").input_value().startswith("Windows")
    opened.goto(f"{site.as_uri()}#card=4070&system=Linux")
    assert opened.locator("#system").input_value() == "Linux"
    opened.close()


def test_a_link_leads_to_the_answer(browser: Browser, page: Page) -> None:
    page.locator("#card").fill("4070")
    page.locator("#system").select_option("WSL2")
    again = browser.new_page()
    again.goto(page.url)
    assert again.locator("#result").inner_text() == page.locator("#result").inner_text()
    assert again.evaluate(SHIFTS) < 0.01
    again.goto("about:blank")
    again.goto(page.url.partition("#")[0] + "#card=<img src=x onerror=alert(1)>&model=none&x=y")
    assert "not in the catalog yet" in again.locator("#result").inner_text()
    again.close()


def test_it_is_small_and_soon_usable(page: Page, site: Path) -> None:
    needed = [site, *(site.parent / path for path in ("assets/site.css", front.FINDER, front.OVERVIEW))]
    assert sum(path.stat().st_size for path in needed) < 200_000
    taken_ms = []
    for _ in range(3):
        page.reload()
        taken_ms.append(page.evaluate("performance.getEntriesByType('navigation')[0].domInteractive"))
    assert min(taken_ms) < 1000


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
)
def test_it_fits_is_readable_and_quiet(
    browser: Browser, site: Path, one_row: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    overheard = Overheard()
    overheard.listen(page)
    page.goto(f"{site.as_uri()}#card=4070&clip=300")
    assert page.locator("#result .verdict").is_visible()
    assert page.evaluate(SHIFTS) < 0.01
    assert overheard.said == []
    assert all(url.startswith(site.parent.as_uri()) for url in overheard.asked)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(f"{one_row.as_uri()}#card=4070&clip=300")
    assert page.evaluate(POOR_CONTRAST) == []
    assert barriers(page) == []
    page.close()


def test_without_scripts_a_table_has_the_usual_answers(browser: Browser, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.as_uri())
    assert not page.locator("#finder").is_visible()
    assert not page.locator("#search").is_visible()
    assert page.locator(".usual tbody tr").count() == len(predicted().cards)
    row = page.locator(".usual tr", has=page.get_by_text("RTX 4070", exact=True))
    assert row.locator("td").count() == 1 + len(PLACES)
    assert page.locator("#rows tbody tr").count() > 200
    context.close()
