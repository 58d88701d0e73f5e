"""What all pages share: the environment of the templates, the frame of a page, and its policy."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bench.report import html
from bench.site import places

if TYPE_CHECKING:
    import jinja2

TEMPLATES: Final = Path(__file__).parent / "templates"
STYLE: Final = "assets/site.css"
NAVIGATION: Final = (
    ("Cards", places.FRONT),
    ("Contribute", places.CONTRIBUTE),
    ("Data", places.DATA),
    ("Feed", places.FEED),
)
"""The words of each link of the header, and its file below the root."""

_POLICY: Final = (
    "default-src 'none'; script-src {scripts}; style-src 'self'{inline}; {connect}base-uri 'none'; "
    "form-action 'none'"
)
"""Files of the site itself, and nothing else. In Chromium this holds for pages opened from a folder, too."""


@cache
def environment() -> "jinja2.Environment":
    """The environment of the reports, with the templates of the site before theirs: escaping is on."""
    import jinja2

    reports = html.environment()
    found = reports.overlay()
    found.loader = jinja2.ChoiceLoader(
        [jinja2.FileSystemLoader(TEMPLATES), *([reports.loader] if reports.loader is not None else [])]
    )
    return found


def render(
    template: str,
    path: str,
    values: Mapping[str, object] = MappingProxyType({}),
    *,
    has_scripts: bool = False,
    sends: bool = False,
) -> str:
    """Return a page. `path`: of its file below the root, to which `root` leads in all links.

    `has_scripts`: the page loads scripts of the site. `sends`: a script of it speaks with the site.
    """
    shared = frame(path, policy(has_scripts=has_scripts, sends=sends), sends=sends)
    return environment().get_template(template).render({**shared, **values})


def frame(path: str, allowed: str, *, sends: bool = False) -> dict[str, object]:
    """Return what the frame of a page shows. `allowed`: its content security policy."""
    return {
        "root": "../" * path.count("/"),
        "policy": allowed,
        "style": STYLE,
        "nav": NAVIGATION,
        "here": path,
        "feed": places.FEED,
        "sends": sends,
    }


def policy(*, has_scripts: bool, has_inline_styles: bool = False, sends: bool = False) -> str:
    """Return the content security policy of a page."""
    return _POLICY.format(
        connect="connect-src 'self'; " if sends else "",
        scripts="'self'" if has_scripts else "'none'",
        inline=" 'unsafe-inline'" if has_inline_styles else "",
    )
