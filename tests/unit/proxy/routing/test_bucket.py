from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.routing.bucket import BUCKETS, bucket_of, is_chosen

WEIGHTS = st.integers(0, BUCKETS)


@pytest.mark.parametrize(
    ("salt", "identity", "bucket"),
    [
        (b"", b"", 3138),  # xxh3_64 of nothing is 0x2d06800538d394c2, as its specification says
        (b"cutover", b"client_ip=127.0.0.1", 6715),
        (b"cutover", b"client_ip=203.0.113.7", 2797),
        (b"cutover", b"client_ip=2001:db8::1", 8212),
        (b"cutover", b"cookie:PHPSESSID=3f9c1a77b2", 851),
        (b"cutover", b"cookie:PHPSESSID=4f9c1a77b2", 480),
        (b"cutover", b"header:authorization=Bearer abc", 4585),
        (b"cutover", b"jwt:sub=17", 2011),
        (b"cutover", b"path:id=17", 2729),
        (b"cutover", b"mint=00112233445566778899aabbccddeeff.0123456789abcdef", 1538),
        (b"other", b"client_ip=127.0.0.1", 8220),
        (
            b"cut",
            b"overclient_ip=127.0.0.1",
            6715,
        ),  # one text: salt and identity are not marked off
        (b"salz", "header:x-customer=Jürgen".encode(), 6548),
        (b"cutover", b"x" * 4096, 8715),
    ],
)
def test_golden_vectors(salt: bytes, identity: bytes, bucket: int) -> None:
    """The bucket of an identity never changes: a new function would move every user."""
    assert bucket_of(salt, identity) == bucket


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_a_bucket_is_one_of_ten_thousand(salt: bytes, identity: bytes) -> None:
    """Whatever the identity, its bucket is a number that a weight can be compared with."""
    assert 0 <= bucket_of(salt, identity) < BUCKETS


@given(WEIGHTS, WEIGHTS, st.lists(st.binary(max_size=20), max_size=50))
def test_raising_only_adds_and_lowering_only_removes(
    one: int, other: int, identities: list[bytes]
) -> None:
    """Whoever is on modern at a weight is there at every higher one."""
    low, high = sorted((one, other))
    buckets = [bucket_of(b"cutover", identity) for identity in identities]
    at_low = {bucket for bucket in buckets if is_chosen(bucket, low)}
    at_high = {bucket for bucket in buckets if is_chosen(bucket, high)}
    assert at_low <= at_high


def test_nobody_at_zero_and_everybody_at_the_top() -> None:
    """0% and 100% have no exceptions."""
    assert not any(is_chosen(bucket, 0) for bucket in range(BUCKETS))
    assert all(is_chosen(bucket, BUCKETS) for bucket in range(BUCKETS))


@pytest.fixture(scope="module")
def buckets() -> list[int]:
    """Buckets of 100,000 identities that look like session cookies and addresses."""
    return [bucket_of(b"cutover", b"client_ip=10.%d.%d.%d" % (i >> 16, i >> 8 & 255, i & 255))
            for i in range(50_000)] + [
        bucket_of(b"cutover", b"cookie:PHPSESSID=%032x" % i) for i in range(50_000)
    ]  # fmt: skip


@pytest.mark.parametrize("weight", [1, 10, 100, 1000, 2500, 5000, 9000, 9999])
def test_the_share_observed_is_the_share_configured(buckets: list[int], weight: int) -> None:
    """Within five standard deviations of the binomial distribution, for like-looking identities."""
    share = weight / BUCKETS
    chosen = sum(is_chosen(bucket, weight) for bucket in buckets)
    spread = sqrt(len(buckets) * share * (1 - share))
    assert abs(chosen - len(buckets) * share) <= 5 * spread
