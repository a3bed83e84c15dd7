from __future__ import annotations

from dataclasses import replace

from proxy.admin.console.attention import Level, headline
from proxy.admin.console.hosts import of_hosts
from proxy.control.status import HostsStatus, HostStatus, Status
from tests.support_console import FakeController, route

A = HostStatus("a", "http://a", connected=True, last_seen=0.1, bus=True, version=9)
B = HostStatus("b", "http://b", connected=True, last_seen=0.2, bus=True, version=9)


def status(acting: str | None, *hosts: HostStatus) -> Status:
    """Everything now, as host a sees it."""
    found = FakeController([route()], lambda: 1_790_000_000.0).status()
    return replace(found, hosts=HostsStatus("a", acting, 3, hosts))


def test_alone_nothing_is_said_of_hosts() -> None:
    """Where there is one host there is nothing to say."""
    assert of_hosts(replace(status("a"), hosts=None)) == []


def test_the_acting_host_says_nothing_while_all_is_well() -> None:
    """Neither in a notice nor in the headline."""
    found = status("a", A, B)
    assert of_hosts(found) == []
    assert "acts" not in headline(found).text


def test_a_host_that_stands_by_names_the_one_that_acts() -> None:
    """With its address: changes are made there."""
    found = status("b", A, B)
    [notice] = of_hosts(found)
    assert notice.title == "a stands by; b acts"
    assert "http://b" in notice.text
    assert headline(found).text == "a stands by; b acts."


def test_without_anybody_who_acts_it_needs_a_person() -> None:
    """For nothing is judged meanwhile."""
    found = status(None, A, B)
    [notice] = of_hosts(found)
    assert (notice.tone, notice.title) == ("act", "No host acts")
    assert headline(found).level is Level.ACT


def test_hosts_that_are_cut_off_want_a_look() -> None:
    """Away, without Redis, or with something to say; and what they serve by meanwhile."""
    away = replace(B, connected=False, last_seen=90.0, version=7)
    [notice] = of_hosts(status("a", A, away))
    assert notice.title == "b is not heard of"
    assert "keep serving version 7" in notice.text
    [notice] = of_hosts(status("a", A, replace(B, bus=False)))
    assert notice.title == "b has no Redis"
    [notice] = of_hosts(status("a", A, replace(B, problem="rules.yaml:1:1: edited")))
    assert (notice.title, notice.detail) == ("b wants a look", "rules.yaml:1:1: edited")
