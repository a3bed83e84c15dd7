"""Ours, as it runs in production: every feature on, its controller and shadow worker beside it."""

from __future__ import annotations

import sys
from dataclasses import fields, replace

from bench.proxy.products.site import UPSTREAM_CONNECTIONS, Plan, Product, Site, route_prefixes
from proxy.routing.rules import RouteRules
from proxy.settings import SERVE_SETTINGS

ROUTES = 20
"""Never fewer than these: a migration has routes."""


def configure(site: Site, mirror_to: int = 0) -> Plan:
    """Give the rules and the command.

    With `mirror_to`, modern is at that port: legacy serves everybody, and all of it is mirrored.
    """
    variant = site.variant
    listen = f"127.0.0.1:{site.port}"
    command = [
        sys.executable, "-m", "proxy", "serve",
        "--rules", str(site.folder / "routing_rules.yaml"),
        "--state", str(site.folder / "state"),
        "--workers", str(variant.workers),
        "--listen", f"{listen};tls" if variant.tls else listen,
        "--admin-listen", f"127.0.0.1:{site.spare}",
        "--access-log", str(site.folder / "access.log") if site.access_log else "off",
    ]  # fmt: skip
    if variant.tls:
        command += tls_options(site)
    written = rules(site, "100%", mirror_to) if mirror_to else rules(site)
    return Plan(command, {"routing_rules.yaml": written})


def rules(site: Site, mirror: str = "", modern: int = 0) -> str:
    """The rules: sticky by cookie at 50%, header rules, a last route for the rest.

    `mirror` is the share that is mirrored, both ways; peers cannot compare, so none by default.
    `modern` is the port of another application, which then serves nobody.
    """
    legacy, other = (
        f'{{instances: ["http://127.0.0.1:{port}"], max_connections: {UPSTREAM_CONNECTIONS}}}'
        for port in (site.origin, modern or site.origin)
    )
    weight = "0%" if modern else "50%"
    mirrored = f"  mirror: {{share: {mirror}, towards: [modern, legacy]}}\n" if mirror else ""
    count = max(site.variant.routes, ROUTES) - 1
    routes = "".join(
        f'  - {{id: {path.rpartition("/")[2]}, match: {{path: "{path}/{{id}}"}},'
        f" weight: {weight}}}\n"
        for path in route_prefixes(count)
    )
    return (
        f"version: 1\nupstreams:\n  legacy: {legacy}\n  modern: {other}\n"
        f"trusted_networks: []\nallowed_headers: [x_customer]\n"
        f"defaults:\n  sticky_by: [cookie:PHPSESSID, client_ip]\n{header_rules()}"
        f"{mirrored}"
        f"routes:\n{routes}  - {{id: rest, match: {{path: /*}}, weight: {weight}}}\n"
    )


def header_rules() -> str:
    """The lines below `defaults` that rewrite fields on every route, indented by two."""
    if "rewrite" not in {field.name for field in fields(RouteRules)}:
        return ""
    side = (
        "{request: {set: {X-Environment: production}},"
        " response: {set: {X-Frame-Options: DENY}, remove: [X-Powered-By]}}"
    )
    return f"  rewrite: {{legacy: {side}, modern: {side}}}\n"


def tls_options(site: Site) -> list[str]:
    """How the listener is told its certificate."""
    return ["--tls-certificate", str(site.certificate), "--tls-key", str(site.key)]


def pure(site: Site) -> Plan:
    """Ours without compiled modules."""
    return replace(configure(site), env={"CUTOVER_COMPILED": "0"})


SPEAKS_TLS = any(setting.name == "tls_certificate" for setting in SERVE_SETTINGS)
PRODUCT = Product("cutover", "python3", "this checkout", configure, tls=SPEAKS_TLS, split=True)
PURE = Product("pure", "python3", "this checkout", pure, tls=SPEAKS_TLS, split=True)
