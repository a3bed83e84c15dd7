from __future__ import annotations

from dataclasses import replace

import pytest

from shadow_compare.redact import Redactor
from shadow_compare.report.export.request import Request, request_of
from shadow_compare.sample import curl_of
from tests.support_shadow import a_capture


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "/api/plans?a=b c&d=%20", (("accept", "it's"),)),
        Request("HEAD", "/", ()),
        Request("POST", "//x/../y", (("content-type", "text/plain"),), "a=1&b='2'\n"),
        Request("GET", "/a?u=http://other/b", ()),
    ],
)
def test_what_was_written_is_read_back(request_: Request) -> None:
    """Method, target, headers and body, whatever is quoted."""
    capture = a_capture(
        method=request_.method,
        target=request_.target,
        request_headers=(("host", "shop.example"), *request_.headers),
        request_body=request_.body.encode(),
    )
    assert request_of(curl_of(capture, Redactor(b"key"))) == replace(request_, host="shop.example")
