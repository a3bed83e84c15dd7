"""What the console says of many hosts: who acts, and which of them want a look."""

from __future__ import annotations

from proxy.admin.console import wording
from proxy.admin.console.attention import Notice
from proxy.control.status import HostsStatus, HostStatus, Status


def of_hosts(status: Status) -> list[Notice]:
    """What every page must say at its top of who acts, and of hosts that are cut off."""
    hosts = status.hosts
    if hosts is None:
        return []
    found = [] if hosts.acting == hosts.own else [_standing_by(hosts)]
    return found + [_wants_a_look(host) for host in hosts.hosts if wants_a_look(host)]


def wants_a_look(host: HostStatus) -> bool:
    """Whether a host is away, has no Redis, or has something to say."""
    return not host.connected or not host.bus or bool(host.problem)


def _standing_by(hosts: HostsStatus) -> Notice:
    if hosts.acting is None:
        return Notice(
            "act",
            "No host acts",
            "Every host serves by its last version. Nothing is judged, nothing is rolled back, and"
            " nothing can be changed; the kill file works on each host.",
        )
    return Notice(
        "plain",
        f"{hosts.own} stands by; {hosts.acting} acts",
        f"Changes are made and traffic is measured there: {hosts.url}",
    )


def _wants_a_look(host: HostStatus) -> Notice:
    if not host.connected:
        ago = wording.duration(host.last_seen)
        text = f"Heard of {ago} ago. Its workers keep serving version {host.version} if they run."
        return Notice("look", f"{host.name} is not heard of", text)
    if not host.bus:
        text = "It takes versions from the store, a second late; its traffic is not measured."
        return Notice("look", f"{host.name} has no Redis", text)
    text = "Whoever acts goes on; look at that host."
    return Notice("look", f"{host.name} wants a look", text, detail=host.problem)
