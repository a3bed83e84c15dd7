from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.proxy.products import cutover
from bench.proxy.products.all import OURS, PEERS
from bench.proxy.products.site import Product, Site, Variant
from proxy.routing.schema import load_rules

VARIANTS = (Variant(), Variant(routes=200), Variant(workers=2), Variant(tls=True))


def site(folder: Path, variant: Variant = VARIANTS[0], **others: bool) -> Site:
    """A place for a product that nobody starts."""
    certificate = folder / "bench.crt" if variant.tls else None
    return Site(folder, 18_080, 18_081, variant, certificate, spare=18_082, **others)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("product", [OURS, *PEERS], ids=lambda product: product.name)
def test_every_product_listens_on_loopback_and_reaches_the_origin(
    product: Product, variant: Variant, tmp_path: Path
) -> None:
    """In every variant, with nothing but the two ports it was given."""
    plan = product.configure(site(tmp_path, variant))
    text = " ".join([*plan.command, *plan.files.values()])
    assert "18080" in text
    assert "18081" in text
    assert "0.0.0.0" not in text  # noqa: S104 - it is what must not be there


@pytest.mark.parametrize("product", [p for p in PEERS if p.routes], ids=lambda p: p.name)
def test_peers_have_as_many_routes_as_asked(product: Product, tmp_path: Path) -> None:
    """One for each prefix."""
    plan = product.configure(site(tmp_path, Variant(routes=200)))
    text = "".join(plan.files.values())
    assert sum(f"/api/r{number}/" in text for number in range(300)) == 200


@pytest.mark.parametrize("product", PEERS, ids=lambda product: product.name)
def test_nobody_writes_an_access_log_unasked(product: Product, tmp_path: Path) -> None:
    """And everybody who can does when asked."""
    quiet, loud = (
        product.configure(site(tmp_path)),
        product.configure(site(tmp_path, access_log=True)),
    )
    assert (quiet.command, quiet.files) != (loud.command, loud.files)
    assert "access.log" not in str(quiet)


@pytest.mark.parametrize(("asked", "found"), [(0, 20), (20, 20), (200, 200), (2000, 2000)])
def test_our_rules_are_valid_and_split_by_cookie(asked: int, found: int, tmp_path: Path) -> None:
    """As many routes as asked, never fewer than 20; half of the users on either side."""
    text = cutover.rules(site(tmp_path, Variant(routes=asked)), mirror="2%")
    _, rules = load_rules(text, "bench")
    assert len(rules.routes) == found
    assert {route.weight for route in rules.routes} == {5000}
    assert rules.routes[0].sticky_by[0] == "cookie:PHPSESSID"


def test_envoy_is_told_in_json(tmp_path: Path) -> None:
    """One cluster; the routes in the file's order, the rest last."""
    (envoy,) = (peer for peer in PEERS if peer.name == "envoy")
    config = json.loads(envoy.configure(site(tmp_path, Variant(routes=20))).files["envoy.json"])
    (listener,) = config["static_resources"]["listeners"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    routes = manager["route_config"]["virtual_hosts"][0]["routes"]
    assert [route["match"]["prefix"] for route in routes][-2:] == ["/api/r19/", "/"]
