"""What is kept between two builds."""

from pathlib import Path

import pytest

from bench.check.index import Index, use_index
from bench.site.output import Written
from bench.site.units import PageUnit, Units, fingerprint

UNIT = PageUnit(fingerprint="f", files={"a.html": Written(1, "0" * 64)})


def test_each_site_has_its_own(tmp_path: Path) -> None:
    def work(index: Index) -> None:
        Units(index, "one").keep_page("data", UNIT)
        assert Units(index, "one").page("data") == UNIT
        assert Units(index, "two").page("data") is None

    use_index(tmp_path / "index.sqlite", print, work)


def test_it_is_there_when_the_index_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    use_index(path, print, lambda index: Units(index, "one").keep_page("data", UNIT))
    assert use_index(path, print, lambda index: Units(index, "one").page("data")) == UNIT


def test_it_is_gone_where_other_code_opens_the_index(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "index.sqlite"
    use_index(path, print, lambda index: Units(index, "one").keep_page("data", UNIT), made_by="one")
    assert use_index(path, print, lambda index: Units(index, "one").page("data"), made_by="two") is None
    assert "made by another version" in capsys.readouterr().out


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b'{"fingerprint": "f", "files": {"a": 1}}'])
def test_what_is_no_unit_is_made_again(tmp_path: Path, body: bytes) -> None:
    def work(index: Index) -> PageUnit | None:
        index.keep({"one/data": body})
        return Units(index, "one").page("data")

    assert use_index(tmp_path / "index.sqlite", print, work) is None


def test_a_fingerprint_tells_values_apart() -> None:
    assert fingerprint(1, "a") == fingerprint(1, "a")
    assert len({fingerprint(1, "a"), fingerprint("1", "a"), fingerprint(1, ("a",))}) == 3
