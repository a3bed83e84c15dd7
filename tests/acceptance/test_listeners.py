"""Clients come by TLS and without, and a tester chooses the side; nothing is restarted for it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import httpx

from deploy.stack.ports import free_ports
from proxy.serving.certificate import read_certificate
from tests.support import eventually_async
from tests.support_app import App
from tests.support_certificates import make_certificate
from tests.support_proxy import PATIENCE, Proxy, rules_between


async def test_one_proxy_speaks_http_and_https(
    legacy: App, modern: App, make_proxy: Callable[..., Proxy], tmp_path: Path
) -> None:
    """Applications know which it was; a token opens modern; a new certificate is shown at once."""
    made = make_certificate(tmp_path, "default")
    plain, secure = free_ports(2)
    listen = ("--listen", f"127.0.0.1:{plain},127.0.0.1:{secure};tls")
    options = (*listen, "--tls-certificate", str(tmp_path))
    proxy = make_proxy(rules_between(legacy.port, modern.port, "0%"), *options)
    await proxy.start()
    said = await proxy.cli(
        "override-token", "--side", "modern", "--for", "5m", "--state", str(proxy.state)
    )
    name, _, value = said.out.strip().partition(": ")
    async with httpx.AsyncClient(trust_env=False, verify=made.client()) as client:
        for url in (f"http://127.0.0.1:{plain}", f"https://127.0.0.1:{secure}"):
            for headers, side in (({}, "legacy"), ({name: value}, "modern")):
                answer = await client.get(f"{url}/orders", headers=headers)
                assert answer.headers["cutover-side"] == side
                app = legacy if side == "legacy" else modern
                seen = app.seen[-1].headers
                assert f"{seen['x-forwarded-proto']}://127.0.0.1:{seen['x-forwarded-port']}" == url
                assert "cutover-side" not in seen
        make_certificate(tmp_path, "default", "new.test")

        async def renewed() -> bool:
            return shown(secure) == ("new.test",)

        await eventually_async(renewed, PATIENCE, "the new certificate")
        assert f'certificate="{made.certificate}",worker="1"' in await proxy.text("/metrics")
        answer = await client.get(f"https://127.0.0.1:{secure}/orders")
        assert answer.status_code == 200, "the connection of before is still there"


def shown(port: int) -> tuple[str, ...]:
    """Give the names of the certificate that a new client is shown."""
    pem = ssl.get_server_certificate(("127.0.0.1", port), timeout=PATIENCE)
    return read_certificate(ssl.PEM_cert_to_DER_cert(pem)).names
