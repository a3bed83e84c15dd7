"""HAProxy: one thread, connections to the origin shared by all clients, routes as a map."""

from __future__ import annotations

from bench.proxy.products.site import Plan, Product, Site, route_prefixes


def configure(site: Site) -> Plan:
    """Give HAProxy's configuration. A map of prefixes is its way to have many routes."""
    variant, folder = site.variant, site.folder
    ssl = f" ssl crt {folder}/both.pem" if variant.tls else ""
    choice = (
        f"use_backend %[path,map_beg({folder}/routes.map,origin)]"
        if variant.routes
        else "default_backend origin"
    )
    log = (
        ("log stdout format raw local0", "  log global\n  option httplog")
        if site.access_log
        else ("", "")
    )
    text = f"""global
  nbthread {variant.workers}
  maxconn 16384
  no strict-limits
  {log[0]}
defaults
  mode http
{log[1]}
  timeout connect 2s
  timeout client 1h
  timeout server 1h
  timeout http-keep-alive 1h
frontend front
  bind 127.0.0.1:{site.port}{ssl} backlog 4096
  option forwardfor
  http-request set-header X-Request-Id %[uuid()]
  http-request set-header X-Forwarded-Proto {"https" if variant.tls else "http"}
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  {choice}
backend origin
  http-reuse always
  server one 127.0.0.1:{site.origin}
"""
    files = {"haproxy.cfg": text}
    if variant.routes:
        files["routes.map"] = "".join(
            f"{path}/ origin\n" for path in route_prefixes(variant.routes)
        )
    return Plan(["haproxy", "-f", str(folder / "haproxy.cfg"), "-db"], files)


PRODUCT = Product("haproxy", "haproxy", "haproxy of Debian", configure)
