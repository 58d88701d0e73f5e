"""How many requests are answered: of one address, and of all together. Not by key: keys are free."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Final

_MOST_ADDRESSES: Final = 10_000
_SITE_BITS: Final = 64
"""Of an IPv6 address: one customer has all addresses that share them."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_s` requests a second in the long run, and up to `burst` at once."""

    per_s: float
    burst: int


class _Bucket:
    """Tokens that come back with time. A request takes one."""

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate, self._tokens, self._at = rate, float(rate.burst), now

    def wait_s(self, now: float) -> float:
        """Seconds until there is a token; 0 where one is there."""
        self._tokens = min(self._rate.burst, self._tokens + (now - self._at) * self._rate.per_s)
        self._at = now
        return 0.0 if self._tokens >= 1 else (1 - self._tokens) / self._rate.per_s

    def take(self) -> None:
        """Take a token."""
        self._tokens -= 1


class Limits:
    """The limits of a server. `clock` returns seconds that never go back."""

    def __init__(self, of_address: Rate, of_all: Rate, clock: Callable[[], float]) -> None:
        self._rate, self._clock = of_address, clock
        self._all = _Bucket(of_all, clock())
        self._addresses: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_s(self, address: str, *, counts: bool = True) -> int:
        """Count a request of an address. Return 0, or the whole seconds after which to try again.

        `counts`: False to ask alone.
        """
        now, name = self._clock(), _name(address)
        bucket = self._addresses.setdefault(name, _Bucket(self._rate, now))
        self._addresses.move_to_end(name)
        if len(self._addresses) > _MOST_ADDRESSES:
            self._addresses.popitem(last=False)
        wait = max(bucket.wait_s(now), self._all.wait_s(now))
        if wait:
            return ceil(wait)
        if counts:
            bucket.take()
            self._all.take()
        return 0


def _name(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped) if mapped else hex(int(found) >> (128 - _SITE_BITS))
    return str(found)
