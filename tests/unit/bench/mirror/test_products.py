from __future__ import annotations

from pathlib import Path

from bench.mirror.products import NGINX, OFF, OURS, products
from bench.proxy.products import cutover, nginx
from bench.proxy.products.site import Site, Variant
from proxy.routing.schema import load_rules
from proxy.routing.side import Side


def site(folder: Path) -> Site:
    """A place for a product that nobody starts."""
    return Site(folder, 18_080, 18_081, Variant(), None, spare=18_082)


def test_both_products_are_there_for_each_state_of_the_mirror(tmp_path: Path) -> None:
    """And only those that mirror know where to."""
    found = {each.name: each for each in products({OFF: 0, "slow": 18_083})}
    assert set(found) == {f"{OURS} off", f"{NGINX} off", f"{OURS} slow", f"{NGINX} slow"}
    for name, product in found.items():
        text = str(product.configure(site(tmp_path)))
        assert ("18083" in text) is name.endswith("slow")


def test_ours_serves_everybody_from_legacy_and_mirrors_all_of_it(tmp_path: Path) -> None:
    """On every route, with all that is on without a mirror."""
    text = cutover.configure(site(tmp_path), mirror_to=18_083).files["routing_rules.yaml"]
    _, rules = load_rules(text, "bench")
    assert {(route.weight, route.mirror.share) for route in rules.routes} == {(0, 1.0)}
    assert rules.legacy.instances == ("http://127.0.0.1:18081",)
    assert rules.modern.instances == ("http://127.0.0.1:18083",)
    assert all(Side.MODERN in route.mirror.towards for route in rules.routes)
    plain = cutover.configure(site(tmp_path)).files["routing_rules.yaml"]
    assert len(load_rules(plain, "bench")[1].routes) == len(rules.routes)


def test_nginx_mirrors_over_kept_connections(tmp_path: Path) -> None:
    """As it does everything else, so that nothing but the mirror itself is compared."""
    text = nginx.configure(site(tmp_path), mirror_to=18_083).files["nginx.conf"]
    assert "mirror /mirrored;" in text
    assert text.count("keepalive 1024;") == 2
    assert "mirror /" not in nginx.configure(site(tmp_path)).files["nginx.conf"]
