from __future__ import annotations

import pytest

from proxy.upstream.instance import Instance


@pytest.mark.parametrize(
    ("url", "instance", "shown"),
    [
        ("http://127.0.0.1:8081", Instance("127.0.0.1", 8081), "127.0.0.1:8081"),
        ("http://modern.internal", Instance("modern.internal", 80), "modern.internal:80"),
        ("http://[::1]:8082", Instance("::1", 8082), "[::1]:8082"),
    ],
)
def test_an_instance_is_a_host_and_a_port(url: str, instance: Instance, shown: str) -> None:
    """As the rules write it, and as people write it."""
    assert Instance.parse(url) == instance
    assert str(instance) == shown
