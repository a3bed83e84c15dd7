"""An engineer records an evening of traffic, takes it along, and replays it before the cutover."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.conftest import LegacyApp, ModernApp
from tests.support import eventually_async
from tests.support_proxy import Proxy

RULES = """\
version: 1
upstreams:
  legacy: {instances: ["http://127.0.0.1:8081"], timeouts: {connect: 2s, response: 30s, idle: 4s}}
  modern: {instances: ["http://127.0.0.1:8082"], timeouts: {connect: 2s, response: 30s, idle: 4s}}
routes:
  - id: login
    match: {method: [POST], path: /api/login}
  - id: face
    match: {path: /api/*}
    compare:
      equivalences: [number_as_string, int_bool, php_datetime, zero_date, empty_map_list]
      ignore: [{path: $.meta.generated_at, reason: the clock, owner: test, until: 2030-01-01}]
  - id: rest
    match: {path: /*}
"""
SECRETS = ("hunter2secret", "3f9c0ffee0ffee0ffee", "sk_live_0123456789")
PLANS = 40


def recorded(folder: Path) -> bytes:
    """Give all that was written."""
    return b"".join(file.read_bytes() for file in sorted(folder.glob("*.gor")))


def modes(folder: Path) -> set[int]:
    """Give who may read the files."""
    return {file.stat().st_mode & 0o777 for file in folder.glob("*.gor")}


async def recording_goes_on(proxy: Proxy, folder: Path) -> None:
    """Ask until both data plane workers have had a request written, from now on."""
    before = recorded(folder).count(b"GET /api/plans/1 ")

    async def several_more() -> bool:
        async with httpx.AsyncClient(base_url=proxy.url, trust_env=False) as client:
            await client.get("/api/plans/1")
        return recorded(folder).count(b"GET /api/plans/1 ") > before + 8

    await eventually_async(several_more, 30)


async def ask_everything(proxy: Proxy) -> None:
    """Read what can be read, log in, and hand over a key."""
    async with httpx.AsyncClient(base_url=proxy.url, trust_env=False, timeout=30) as client:
        client.cookies.set("PHPSESSID", SECRETS[1])
        for _ in range(PLANS):
            assert (await client.get("/api/plans")).status_code == 200
        await client.get("/api/users/1", params={"api_key": SECRETS[2]})
        await client.post("/api/login", json={"email": "a@example.com", "password": SECRETS[0]})
        await client.post("/api/users", data={"name": "Größe & Söhne"})


@pytest.mark.timeout(300)  # five commands as processes, and the replay, on a machine that is shared
async def test_what_was_recorded_is_replayed_and_tells_no_secret(
    before_the_applications: Callable[[str], Proxy],
    legacy_app: LegacyApp,
    modern_app: ModernApp,
) -> None:
    """Redacted, whole after a killed worker, ended by the operator, and then compared."""
    proxy = before_the_applications(RULES)
    await proxy.start()
    state = ("--state", str(proxy.state))
    begun = await proxy.cli(
        "record", "start", *state, "--for", "5m", "--reason", "a test", "--json"
    )
    folder = Path(begun.json()["folder"])
    await recording_goes_on(proxy, folder)
    os.kill((await proxy.pids("shadow"))[0], signal.SIGKILL)
    await proxy.settled()
    await recording_goes_on(proxy, folder)
    await ask_everything(proxy)

    async def all_there() -> bool:
        written = recorded(folder)
        return written.count(b"GET /api/plans HTTP") == PLANS and b"/api/users HTTP" in written

    await eventually_async(all_there, 20)
    stopped = await proxy.cli("record", "stop", *state)
    assert f"cutover replay {folder}" in stopped.out
    written = recorded(folder)
    assert [secret for secret in SECRETS if secret.encode() in written] == []
    assert b"name=Gr%C3%B6%C3%9Fe+%26+S%C3%B6hne" in written
    assert modes(folder) == {0o600}
    async with httpx.AsyncClient(base_url=proxy.url, trust_env=False) as client:
        await client.get("/api/plans/2")
    await asyncio.sleep(0.5)
    assert b"GET /api/plans/2" not in recorded(folder)

    where = ("--legacy", legacy_app.base_url, "--modern", modern_app.base_url)
    rules = ("--rules", str(proxy.rules))
    result = await proxy.cli("replay", str(folder), *where, *rules, "--json", "--writes", "a test")
    report = json.loads(result.out)
    coverage = {each["route"]: each for each in report["coverage"]}
    assert coverage["face"]["compared"] >= PLANS, result.err
    assert coverage["face"]["mismatch"] == 0, report["differences"]
    assert coverage["login"]["not_compared"] == {"redacted": 1}
    assert coverage["face"]["not_compared"] == {"redacted": 1}
    assert any("cookies or credentials" in note for note in report["notes"])
