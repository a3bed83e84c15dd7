from __future__ import annotations

import pytest

from proxy.collector_url import CollectorUrl
from proxy.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("http://localhost:4318", "http://localhost:4318/v1/traces"),
        ("http://localhost:4318/", "http://localhost:4318/v1/traces"),
        ("http://localhost:4318/v1/traces", "http://localhost:4318/v1/traces"),
        ("https://otlp.example/otlp", "https://otlp.example:443/otlp/v1/traces"),
        ("http://[::1]:4318", "http://[::1]:4318/v1/traces"),
        ("http://tempo", "http://tempo:80/v1/traces"),
    ],
)
def test_the_path_of_traces_is_added(text: str, meant: str) -> None:
    """A base URL is enough, as for every exporter of OpenTelemetry."""
    assert str(CollectorUrl.parse(text, "--otlp")) == meant


def test_nothing_is_nothing() -> None:
    """Without a URL there are no traces."""
    assert CollectorUrl.parse("", "--otlp") is None


@pytest.mark.parametrize(
    "text",
    [
        "localhost:4318", "grpc://localhost:4317", "http://", "http://a:b", "http://a:0",
        "http://a b/", "http://a/\r\nX: y", "http://u:secret@a", "http://a?key=secret", "http://a#b",
    ],
)  # fmt: skip
def test_what_is_no_collector_is_refused(text: str) -> None:
    """With the name of the option, and never with a secret."""
    with pytest.raises(SettingsError, match="--otlp: ") as refused:
        CollectorUrl.parse(text, "--otlp")
    assert "secret" not in str(refused.value)


def test_headers_are_decoded_and_never_shown() -> None:
    """As OpenTelemetry writes them: with commas between, percent-encoded."""
    url = CollectorUrl.parse("http://a", "--otlp", "Authorization=Bearer%20abc, x-scope = 7")
    assert url is not None
    assert url.headers == (("Authorization", "Bearer abc"), ("x-scope", "7"))
    assert "abc" not in repr(url)


@pytest.mark.parametrize("text", ["Authorization", "=x", "a b=x", "a=%0d%0aX:y", "a=%c3%a9"])
def test_headers_cannot_write_others(text: str) -> None:
    """A line break or a name that is none is refused, without a word of the value."""
    with pytest.raises(SettingsError, match="CUTOVER_OTLP_HEADERS"):
        CollectorUrl.parse("http://a", "--otlp", text)
