"""Every page and file of the site that is no data, as text: what the build calls."""

from collections.abc import Mapping
from functools import cache

from bench.site.interface import CardPage, DataFile, RecordPage, SiteIndex
from bench.site.lengths import Predicted, predicted
from bench.site.pages import assets as files
from bench.site.pages import card as card_pages
from bench.site.pages import contribute as contribution
from bench.site.pages import front as front_page
from bench.site.pages import record as record_pages
from bench.site.pages import simple


@cache
def predictions() -> Predicted:
    """Return what the front page predicts; takes seconds, and changes with bench only."""
    return predicted()


def front(site: SiteIndex, predictions: Predicted) -> str:
    """Return the front page; `predictions` as the function of that name makes them."""
    return front_page.render(site, predictions)


def card(page: CardPage) -> str:
    """Return the page of a model on a card."""
    return card_pages.render(page)


def record(page: RecordPage) -> str:
    """Return the page of a record."""
    return record_pages.render(page)


def contribute(receiver: str | None = None) -> str:
    """Return the page on contributing. `receiver`: address of the site, where it takes bundles."""
    return contribution.render(receiver)


def not_found() -> str:
    """Return the page for addresses that do not exist."""
    return simple.not_found()


def data(files: tuple[DataFile, ...]) -> str:
    """Return the page of the data files."""
    return simple.data(files)


def assets() -> Mapping[str, bytes]:
    """Return the files that pages share, by their paths."""
    return {path: text.encode() for path, text in files.files().items()}
