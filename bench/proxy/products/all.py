"""The table of products, ours first."""

from __future__ import annotations

from bench.proxy.products import caddy, cutover, envoy, haproxy, nginx, python
from bench.proxy.products.site import Product

OURS = cutover.PRODUCT
PURE = cutover.PURE
"""Ours once more, interpreted: what compiling the hot path buys."""

PEERS: tuple[Product, ...] = (
    nginx.PRODUCT,
    haproxy.PRODUCT,
    envoy.PRODUCT,
    caddy.PRODUCT,
    python.AIOHTTP,
    python.STARLETTE,
)
