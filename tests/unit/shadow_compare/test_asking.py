from __future__ import annotations

from shadow_compare.asking import mirrored_headers
from tests.support_shadow import a_capture


def test_headers_of_the_connection_and_validators_stay_behind() -> None:
    """What concerns the client's connection, or one side's copy, is not sent to the other side."""
    headers = (
        ("host", "shop.example"),
        ("connection", "close, X-Private"),
        ("x-private", "1"),
        ("te", "trailers"),
        ("content-length", "0"),
        ("if-none-match", '"a"'),
        ("range", "bytes=0-9"),
        ("x-request-id", "abc"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
    )
    assert mirrored_headers(a_capture(request_headers=headers), None) == (
        ("host", "shop.example"),
        ("range", "bytes=0-9"),
        ("x-request-id", "abc"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
        ("cutover-shadow", "v1;id=req-1"),
    )


def test_mark_cannot_be_forged_in_any_spelling() -> None:
    """Only our own mark is sent, also where underscores pass for hyphens."""
    headers = (("cutover-shadow", "x"), ("cutover_shadow", "y"))
    found = mirrored_headers(a_capture(request_headers=headers), None)
    assert [each for each in found if "shadow" in each[0]] == [("cutover-shadow", "v1;id=req-1")]


def test_host_of_a_side_replaces_the_clients() -> None:
    """A side that is configured with a Host of its own gets that one."""
    assert mirrored_headers(a_capture(), "legacy.internal")[0] == ("host", "legacy.internal")
