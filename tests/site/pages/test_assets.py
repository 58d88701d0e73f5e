"""The files that all pages share."""

from bench.site.pages.assets import files


def test_the_style_has_that_of_the_reports_and_loads_nothing() -> None:
    style = files()["assets/site.css"]
    assert ".verdict" in style
    assert "#finder" in style
    assert "url(" not in style
    assert "@import" not in style


def test_a_script_evaluates_no_text_and_only_the_form_asks_for_something() -> None:
    for path, text in files().items():
        if path.endswith(("finder.js", "overview.js", "upload.js")):
            asks = () if path.endswith("upload.js") else ("fetch(",)
            for forbidden in ("innerHTML", "eval(", "XMLHttpRequest", "http://", "https://", *asks):
                assert forbidden not in text.replace("http://www.w3.org/2000/svg", ""), path
