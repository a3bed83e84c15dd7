"""Ours and nginx, each mirroring everything to one port, or nothing."""

from __future__ import annotations

from functools import partial

from bench.proxy.products import cutover, nginx
from bench.proxy.products.site import Product

OURS = "cutover"
NGINX = "nginx"
OFF = "off"


def products(mirrors: dict[str, int]) -> list[Product]:
    """Give both products for each state of the mirror, given by name with its port; 0: no mirror.

    A product is named `PRODUCT STATE`.
    """
    return [
        product
        for state, port in mirrors.items()
        for product in (
            Product(
                f"{OURS} {state}",
                "python3",
                "",
                partial(cutover.configure, mirror_to=port),
                split=True,
            ),
            Product(f"{NGINX} {state}", "nginx", "", partial(nginx.configure, mirror_to=port)),
        )
    ]
