"""Requests of one address, and of all, are limited; none of the others pays for it."""

from hypothesis import given
from hypothesis import strategies as st

from bench.receiver.http.limits import Limits, Rate

MANY = Rate(per_s=1e6, burst=10**6)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_an_address_has_its_burst_and_then_one_request_each_period() -> None:
    clock = Clock()
    limits = Limits(Rate(per_s=0.5, burst=3), MANY, clock)
    assert [limits.wait_s("192.0.2.1") for _ in range(5)] == [0, 0, 0, 2, 2]
    assert limits.wait_s("192.0.2.2") == 0
    clock.now_s += 2
    assert [limits.wait_s("192.0.2.1") for _ in range(2)] == [0, 2]


def test_all_addresses_together_are_limited() -> None:
    limits = Limits(MANY, Rate(per_s=1, burst=4), Clock())
    assert [limits.wait_s(f"192.0.2.{nth}") for nth in range(6)] == [0, 0, 0, 0, 1, 1]


def test_addresses_of_one_ipv6_customer_are_one_and_a_mapped_one_is_itself() -> None:
    limits = Limits(Rate(per_s=1, burst=1), MANY, Clock())
    assert limits.wait_s("2001:db8:1:2::1") == 0
    assert limits.wait_s("2001:db8:1:2:ffff::9") == 1
    assert limits.wait_s("2001:db8:1:3::1") == 0
    assert limits.wait_s("192.0.2.1") == 0
    assert limits.wait_s("::ffff:192.0.2.1") == 1


@given(st.lists(st.tuples(st.floats(0, 10), st.sampled_from(["a", "b", "c"])), max_size=60))
def test_whatever_comes_no_address_gets_more_than_its_rate(steps: list[tuple[float, str]]) -> None:
    clock, rate = Clock(), Rate(per_s=0.3, burst=2)
    limits, begin = Limits(rate, MANY, clock), clock.now_s
    answered = dict.fromkeys("abc", 0)
    for wait_s, address in steps:
        clock.now_s += wait_s
        answered[address] += limits.wait_s(address) == 0
        most = rate.burst + (clock.now_s - begin) * rate.per_s
        assert answered[address] <= most + 1e-6
