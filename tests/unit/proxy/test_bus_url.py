from __future__ import annotations

import pytest

from proxy.bus_url import BusUrl
from proxy.errors import SettingsError
from proxy.settings import serve_settings


def test_captures_stay_on_this_machine_unless_it_is_said() -> None:
    """No Redis is needed."""
    assert BusUrl.parse("local", "--bus").is_local
    assert serve_settings({}, {}).bus == BusUrl()
    assert str(BusUrl()) == "local"


@pytest.mark.parametrize(
    ("text", "url", "prefix"),
    [
        ("redis://10.0.0.9", "redis://10.0.0.9", "cutover"),
        ("redis://[::1]:6379/3", "redis://[::1]:6379/3", "cutover"),
        ("rediss://r.test:6380/0?prefix=shop:a", "rediss://r.test:6380/0", "shop:a"),
        ("unix:///run/redis.sock?prefix=b", "unix:///run/redis.sock", "b"),
    ],
)
def test_a_server_and_a_prefix_are_read(text: str, url: str, prefix: str) -> None:
    """The prefix is ours, the rest the client's."""
    assert BusUrl.parse(text, "--bus") == BusUrl(url, prefix)


def test_a_password_is_never_shown() -> None:
    """Neither in a log, nor in the settings' own words, nor in an error."""
    said = {"CUTOVER_BUS": "rediss://me:pa%2Fss@r.test:6380/0?prefix=shop"}
    settings = serve_settings({}, said)
    assert settings.bus.url == "rediss://me:pa%2Fss@r.test:6380/0"
    assert str(settings.bus) == "rediss://***@r.test:6380/0?prefix=shop"
    for shown in (repr(settings), repr(settings.bus), f"{settings.bus}"):
        assert "pa%2Fss" not in shown
        assert "me:" not in shown
    with pytest.raises(SettingsError) as refused:
        BusUrl.parse("redis://:secret@h?prefix=", "CUTOVER_BUS")
    assert "secret" not in str(refused.value)


def test_a_password_on_the_command_line_is_refused() -> None:
    """Every process can read it there."""
    with pytest.raises(SettingsError, match="Set CUTOVER_BUS instead"):
        serve_settings({"bus": "redis://:secret@h"}, {})


@pytest.mark.parametrize(
    "text",
    ["", "redis", "redis://", "redis:///0", "unix://", "http://h", "redis://h:99999", "redis://h:0",
     "redis://h?prefix=", "redis://h?prefix=a b", "redis://h?db=1", "redis://h?x", "redis://h#x",
     "redis://[::1", "memory"],
)  # fmt: skip
def test_what_is_no_bus_is_refused(text: str) -> None:
    """With the name of the option."""
    with pytest.raises(SettingsError, match=r"^--bus: "):
        BusUrl.parse(text, "--bus")
