"""Which addresses are public."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.receiver.addresses import is_public


@pytest.mark.parametrize(
    "text",
    [
        "1.1.1.1",
        "93.184.215.14",
        "100.63.255.255",
        "100.128.0.0",
        "172.32.0.0",
        "2606:4700::1111",
        "2001:200::1",
    ],
)
def test_addresses_of_servers_in_public_are_public(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0",
        "10.255.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.31.255.255",
        "192.0.0.192",
        "192.88.99.1",
        "192.168.1.1",
        "198.19.0.1",
        "203.0.113.9",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:1.1.1.1",
        "::1.1.1.1",
        "64:ff9b::1.1.1.1",
        "64:ff9b:1::1",
        "2001::1",
        "2001:db8::1",
        "2002:101:101::1",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_special_addresses_are_not(text: str) -> None:
    assert not is_public(ip_address(text))


@given(st.ip_addresses())
def test_nothing_that_python_calls_special_is_public(address: IPv4Address | IPv6Address) -> None:
    """Hypothesis draws half of the addresses from the special-purpose registries."""
    special = (
        address.is_private,
        address.is_loopback,
        address.is_link_local,
        address.is_multicast,
        address.is_reserved,
        address.is_unspecified,
        not address.is_global,
    )
    assert not (is_public(address) and any(special))


@given(st.ip_addresses(v=4))
def test_an_ipv6_address_that_contains_an_ipv4_address_is_never_public(inner: IPv4Address) -> None:
    number = int(inner)
    for prefix, shift in (("::ffff:0:0", 0), ("::", 0), ("64:ff9b::", 0), ("2002::", 80), ("2001::", 0)):
        assert not is_public(IPv6Address(int(IPv6Address(prefix)) | number << shift))


@given(
    st.integers(min_value=1, max_value=223).filter(
        lambda first: first not in {10, 100, 127, 169, 172, 192, 198, 203}
    ),
    st.integers(min_value=0, max_value=2**24 - 1),
)
def test_blocks_without_special_addresses_are_public(first: int, rest: int) -> None:
    assert is_public(IPv4Address(first << 24 | rest))
