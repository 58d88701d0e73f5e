"""The shipped predictions, made once for all tests of a process."""

from functools import cache

from bench.site.lengths import Predicted
from bench.site.lengths import predicted as make


@cache
def predicted() -> Predicted:
    return make()
