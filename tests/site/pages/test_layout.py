"""The frame of all pages."""

import re

from bench.site.pages import layout


def test_links_of_the_frame_lead_to_the_root_from_any_depth() -> None:
    for path, root in (
        ("index.html", ""),
        ("contribute/index.html", "../"),
        ("check/a/b/index.html", "../../../"),
    ):
        page = layout.render("page.html.j2", path)
        links = re.findall(r'href="([^"#]+)"', page)
        assert f"{root}index.html" in links
        assert all(link.startswith(root) and not link.startswith(("/", "http")) for link in links)


def test_the_page_that_is_open_is_marked_in_the_header() -> None:
    page = layout.render("page.html.j2", "contribute/index.html")
    assert re.findall(r'href="([^"]+)" aria-current="page"', page) == ["../contribute/index.html"]


def test_the_policy_allows_files_of_the_site_and_nothing_else() -> None:
    without, scripts = layout.policy(has_scripts=False), layout.policy(has_scripts=True)
    assert "default-src 'none'" in without
    assert "script-src 'none'" in without
    assert "script-src 'self'" in scripts
    assert "unsafe" not in without + scripts
    assert "http" not in without + scripts
