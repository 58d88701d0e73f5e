"""Work that makes millions of small values and no cycles."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_search_for_cycles() -> Iterator[None]:
    """Python looks for unreachable cycles ever and again; over so many values that took 40 % of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
