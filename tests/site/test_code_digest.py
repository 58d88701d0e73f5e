"""The digest of the code."""

import re

from bench.site.code_digest import code_digest


def test_the_same_code_has_the_same_digest() -> None:
    assert code_digest() == code_digest()
    assert re.fullmatch(r"[0-9a-f]{64}", code_digest())
