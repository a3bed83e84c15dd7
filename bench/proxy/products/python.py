"""The two proxies written here: what a Python programmer would write without this project."""

from __future__ import annotations

import sys

from bench.proxy.products.site import Plan, Product, Site


def aiohttp(site: Site) -> Plan:
    """Give the command of the aiohttp proxy."""
    return _plan("bench.peers.aiohttp_proxy", site)


def starlette(site: Site) -> Plan:
    """Give the command of the Starlette and httpx proxy under uvicorn."""
    return _plan("bench.peers.starlette_proxy", site)


def _plan(module: str, site: Site) -> Plan:
    options = ["--port", str(site.port), "--origin", f"http://127.0.0.1:{site.origin}"]
    options += ["--workers", str(site.variant.workers)]
    if site.variant.tls:
        options += ["--certificate", str(site.certificate), "--key", str(site.key)]
    if site.access_log:
        options += ["--access-log", str(site.folder / "access.log")]
    return Plan([sys.executable, "-m", module, *options])


AIOHTTP = Product("aiohttp", "python3", "aiohttp of the bench group", aiohttp, routes=False)
# httpx looks through all its connections whenever a request begins or ends.
STARLETTE = Product(
    "starlette", "python3", "httpx of the bench group", starlette, routes=False, busy_most=200
)
