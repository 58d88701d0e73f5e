"""Where the files of the site are, below its root. Ids, models and slugs cannot leave a folder."""

from typing import Final

FRONT: Final = "index.html"
NOT_FOUND: Final = "404.html"
CONTRIBUTE: Final = "contribute/index.html"
DATA: Final = "data/index.html"
FEED: Final = "feed.xml"


def card_page(model: str, slug: str) -> str:
    """`check/MODEL/SLUG/index.html`."""
    return f"check/{model}/{slug}/index.html"


def card_check(model: str, slug: str) -> str:
    """`check/MODEL/SLUG/check.json`: the document of the page's figures."""
    return f"check/{model}/{slug}/check.json"


def record_page(entry_id: str) -> str:
    """`records/ID/index.html`."""
    return f"records/{entry_id}/index.html"


def record_json(entry_id: str) -> str:
    """`records/ID/record.json`: the record with its raw series; none of a refused or withdrawn one."""
    return f"records/{entry_id}/record.json"


def record_bundle(entry_id: str) -> str:
    """`records/ID/bundle.json`: the signed bundle as it was sent."""
    return f"records/{entry_id}/bundle.json"
