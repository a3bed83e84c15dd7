from __future__ import annotations

import pytest

from proxy.upstream.instance import Instance


@pytest.mark.parametrize(
    ("url", "instance", "shown"),
    [
        ("http://127.0.0.1:8081", Instance("127.0.0.1", 8081), "127.0.0.1:8081"),
        ("http://modern.internal", Instance("modern.internal", 80), "modern.internal:80"),
        ("http://[::1]:8082", Instance("::1", 8082), "[::1]:8082"),
        ("https://modern.internal", Instance("modern.internal", 443, True), "modern.internal:443"),
        ("https://10.0.0.1:80", Instance("10.0.0.1", 80, True), "10.0.0.1:80"),
    ],
)
def test_an_instance_is_a_host_and_a_port_with_tls_or_without(
    url: str, instance: Instance, shown: str
) -> None:
    """As the rules write it, and as people write it."""
    assert Instance.parse(url) == instance
    assert str(instance) == shown
