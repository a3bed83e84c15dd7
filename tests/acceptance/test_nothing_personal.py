"""What clients and applications say in confidence stands nowhere that the proxy writes or tells."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import httpx

from tests.support import eventually_async
from tests.support_app import App
from tests.support_collector import running_collector
from tests.support_proxy import Proxy

RULES = """\
version: 1
upstreams:
  legacy: {{instances: ["http://127.0.0.1:{legacy}"]}}
  modern: {{instances: ["http://127.0.0.1:{modern}"]}}
defaults:
  sticky_by: [cookie:visitor]
  rollback: {{error_rate: 5%, mismatch_rate: 5%, min_requests: 20}}
routes:
  - id: differs
    match: {{path: /differs}}
    weight: 10%
    mirror: {{share: 100%, towards: [modern, legacy]}}
    compare: {{redact: ["$.email"], critical: ["$.email"]}}
  - {{id: fails, match: {{path: "/fails/{{who}}"}}, weight: 50%}}
  - {{id: rest, match: {{path: /*}}}}
"""
ALERTS = "targets:\n  - {{name: ops, shape: json, url: 'http://127.0.0.1:{port}/', from: info}}\n"
BODY = (
    '{{"email": "{0}-declared@mail.example", "password": "{0}-password", "session_id": "{0}-sess",'
    ' "note": "Bearer {0}-note-token-in-a-text", "card": "{1}"}}'
)
CARDS = ("4111 1111 1111 1111", "5500 0055 5555 5559")
KINDS = ("declared", "password", "sess")
SECRETS = (
    *(f"{word}-{kind}" for word in ("s3cr3t", "0ther") for kind in KINDS),
    "s3cr3t-visitor", "s3cr3t-bearer", "s3cr3t-query", "s3cr3t-form",
    "note-token-in-a-text", *CARDS,
)  # fmt: skip
PATH = "s3cr3t-who"
"""Stands in a path: what is recorded could not be replayed without it, and the access log says
where a client went, as every proxy's does; nowhere else is a path told as it came."""


def spellings(secret: str) -> list[bytes]:
    """Give how it might be written."""
    raw = secret.encode()
    inner = base64.b64encode(raw)[4:-4]  # whatever its neighbours are
    return [raw, quote(secret).encode(), raw.hex().encode(), json.dumps(secret).encode(), inner]


async def ask(proxy: Proxy, person: int) -> None:
    """Read and write as a customer, who differs from all others."""
    cookies = {"visitor": f"s3cr3t-visitor-{person}"}
    fields = {"Authorization": f"Bearer s3cr3t-bearer-{person:020}"}
    async with httpx.AsyncClient(base_url=proxy.url, trust_env=False, cookies=cookies) as client:
        for path in ("/differs", f"/fails/s3cr3t-who-{person}@mail.example"):
            await client.get(path, params={"token": "s3cr3t-query", "page": 2}, headers=fields)
        await client.post("/differs", data={"password": "s3cr3t-form", "page": "2"})


async def test_no_secret_is_written_or_told(
    make_proxy: Callable[..., Proxy], legacy: App, modern: App, tmp_path: Path
) -> None:
    """Neither in a store, a journal, a log, a recording, a metric, a trace nor an alert."""
    legacy.body = BODY.format("s3cr3t", CARDS[0]).encode()
    modern.body = BODY.format("0ther", CARDS[1]).encode()
    async with running_collector() as traces, running_collector() as alerts:
        target = tmp_path / "alerts.yaml"
        target.write_text(ALERTS.format(port=alerts.port))
        target.chmod(0o600)
        proxy = make_proxy(
            RULES.format(legacy=legacy.port, modern=modern.port),
            "--otlp", f"http://127.0.0.1:{traces.port}", "--alerts", str(target),
        )  # fmt: skip
        await proxy.start()
        state = ("--state", str(proxy.state))
        begun = await proxy.cli("record", "start", *state, "--for", "5m", "--reason", "a test")
        assert begun.code == 0, begun.err
        people = itertools.count()
        for _ in range(4):
            await asyncio.gather(*(ask(proxy, next(people)) for _ in range(10)))
        modern.failing = 1.0

        async def both_back() -> bool:
            await asyncio.gather(*(ask(proxy, next(people)) for _ in range(10)))
            routes = (await proxy.status())["routes"]
            return all(each["phase"] == "ROLLED_BACK" for each in routes if each["id"] != "rest")

        await eventually_async(both_back, 40, "both routes are taken back")
        told = [
            await proxy.text(path)
            for path in ("/metrics", "/api/v1/status", "/api/v1/decisions", "/api/v1/outcomes")
        ]
        differences = (await proxy.cli("diffs", "--json")).out
        assert (await proxy.cli("record", "stop", *state)).code == 0
        assert await proxy.stop() == 0
        await eventually_async(lambda: _is(bool(alerts.requests)), 10, "the rollbacks are told")
        told += [differences, json.dumps(alerts.requests), json.dumps(traces.requests)]

    written = {
        str(file.relative_to(proxy.folder)): file.read_bytes()
        for file in proxy.folder.rglob("*")
        if file.is_file() and file != proxy.rules
    }
    written |= {f"told {number}": text.encode() for number, text in enumerate(told)}
    found = {
        (name, secret)
        for name, content in written.items()
        for secret in (*SECRETS, PATH)
        if any(spelling in content for spelling in spellings(secret))
    }
    with_paths = {name for name in written if name.endswith((".gor", "access.log"))}
    assert found == {(name, PATH) for name in with_paths}
    # What was looked through is not empty: all of it tells of these very requests.
    everything = b"".join(written.values())
    assert everything.count(b"[redacted ") > 10
    assert any(name.endswith(".gor") and b"/differs" in text for name, text in written.items())
    assert '"samples":[{' in told[2].replace(" ", "")
    assert json.loads(differences)["differences"]
    assert traces.spans
    assert len(with_paths) >= 2


async def _is(true: bool) -> bool:
    return true
