from __future__ import annotations

import json
from typing import Any

from tests.support_commands import FakeClient, cutover

Plain = dict[str, Any]


def host(name: str, **more: Any) -> Plain:
    """Give a host as the API tells of it."""
    return {
        "name": name, "url": f"http://{name}:8090", "acting": False, "connected": True,
        "last_seen": 0.2, "bus": True, "version": 18, "problem": None, **more,
    }  # fmt: skip


def worker(of: str, version: int, *, connected: bool = True) -> Plain:
    """Give a data plane worker of a host."""
    return {"host": of, "role": "worker", "version": version, "connected": connected}


def client(acting: str | None) -> FakeClient:
    """Give an API that tells of three hosts."""
    hosts = [
        host("a", acting=acting == "a"),
        host("b", bus=False, version=17, problem="rules.yaml:1:1: edited"),
        host("c", connected=False, last_seen=75.0, version=16),
    ]
    workers = [worker("a", 18), worker("a", 18), worker("b", 17), worker("b", 18, connected=False)]
    status = {"host": "a", "acting": acting, "token": 3, "hosts": hosts, "workers": workers}
    return FakeClient({"/status": status})


def test_it_shows_who_acts_and_how_everybody_is() -> None:
    """A line for each host: heard of when, with Redis or not, and by what its workers serve."""
    result = cutover("hosts", client=client("a"))
    lines = {line.split()[0]: line for line in result.out.splitlines()[1:4]}
    assert result.code == 0
    assert lines["a"].split()[1] == "acts"
    assert "2 of 2, at 18" in lines["a"]
    assert "1 of 2, at 17" in lines["b"]
    assert " no " in lines["b"]
    assert "away" in lines["c"]
    assert "not known here" in lines["c"]
    assert "a acts, under token 3; asked was a." in result.out
    assert result.err == "warning: b: rules.yaml:1:1: edited\n"


def test_without_anybody_who_acts_it_fails() -> None:
    """So that a script notices."""
    result = cutover("hosts", client=client(None))
    assert result.code == 1
    assert "No host acts" in result.out


def test_for_scripts_it_is_json() -> None:
    """What the API says of hosts, and nothing else."""
    told = json.loads(cutover("hosts", "--json", client=client("a")).out)
    assert list(told) == ["host", "acting", "token", "hosts"]
    assert told["acting"] == "a"


def test_alone_there_is_nothing_to_show() -> None:
    """One host needs no lease, and is no failure."""
    status: Plain = {"host": None, "acting": None, "token": None, "hosts": [], "workers": []}
    result = cutover("hosts", client=FakeClient({"/status": status}))
    assert (result.code, result.out) == (0, "This proxy is alone: no --host among many.\n")
