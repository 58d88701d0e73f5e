"""Pages without records."""

import re

from bench.site.interface import DataFile
from bench.site.pages.simple import data, not_found


def test_the_data_page_lists_each_file_with_its_hash() -> None:
    files = tuple(
        DataFile(name=name, size_bytes=size, sha256=letter * 64)
        for name, size, letter in (("records.parquet", 123_456_789, "a"), ("cells.csv", 10, "b"))
    )
    page = data(files)
    assert re.findall(r'<th scope="row"><a href="([^"]+)">', page) == ["records.parquet", "cells.csv"]
    assert "123,456,789 bytes" in page
    assert "a" * 64 in page
    assert "CC0-1.0" in page


def test_the_page_for_no_address_needs_no_other_file() -> None:
    page = not_found()
    assert "<link" not in page
    assert "<script src" not in page
    assert "sha256-" in page
