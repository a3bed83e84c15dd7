"""nginx: one worker, kept connections to the origin, a prefix location for each route."""

from __future__ import annotations

from bench.proxy.products.site import UPSTREAM_CONNECTIONS, Plan, Product, Site, route_prefixes

FOLDERS = "client_body proxy fastcgi uwsgi scgi"


def configure(site: Site, mirror_to: int = 0) -> Plan:
    """Give nginx's configuration. Its proxy module buffers in memory, as it does by default.

    With `mirror_to`, every request is sent to that port, too, and its answer is thrown away.
    """
    folder, variant = site.folder, site.variant
    reuse = " reuseport" if variant.workers > 1 else ""
    ssl = " ssl" if variant.tls else ""
    certificate = (
        f"ssl_certificate {site.certificate}; ssl_certificate_key {site.key};"
        if variant.tls
        else ""
    )
    locations = "\n".join(
        f"    location {path}/ {{ proxy_pass http://origin; }}"
        for path in route_prefixes(variant.routes)
    )
    text = f"""{head(site, workers=variant.workers)}
http {{
  {logging(site)} keepalive_requests 1000000000; keepalive_timeout 1h;
  {temporary(site)}
  upstream origin {{
    server 127.0.0.1:{site.origin};
    keepalive {UPSTREAM_CONNECTIONS}; keepalive_requests 1000000000;
  }}
  {upstream_of(mirror_to)}
  server {{
    listen 127.0.0.1:{site.port}{ssl}{reuse} backlog=4096;
    {certificate}
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
    proxy_set_header X-Request-Id $request_id;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;
{locations}
    location / {{ {"mirror /mirrored;" if mirror_to else ""} proxy_pass http://origin; }}
{mirrored_to(mirror_to)}
  }}
}}
"""
    return Plan(["nginx", "-c", str(folder / "nginx.conf")], {"nginx.conf": text})


def upstream_of(port: int) -> str:
    """Kept connections for what is mirrored, as for the rest; nothing without a port."""
    if not port:
        return ""
    return (
        f"upstream candidate {{ server 127.0.0.1:{port};"
        f" keepalive {UPSTREAM_CONNECTIONS}; keepalive_requests 1000000000; }}"
    )


def mirrored_to(port: int) -> str:
    """The location that nginx sends a copy of each request to; nothing without a port."""
    if not port:
        return ""
    return "    location = /mirrored { internal; proxy_pass http://candidate$request_uri; }"


def head(site: Site, workers: int) -> str:
    """The part outside http that any nginx of a bench has."""
    return (
        f"daemon off; worker_processes {workers}; pid {site.folder}/pid;"
        f" error_log stderr warn;\nevents {{ worker_connections 16384; }}"
    )


def logging(site: Site) -> str:
    """The access log as a file, or none."""
    return f"access_log {site.folder}/access.log;" if site.access_log else "access_log off;"


def temporary(site: Site) -> str:
    """Where nginx may put temporary files, of all kinds that it knows."""
    return " ".join(f"{name}_temp_path {site.folder}/{name};" for name in FOLDERS.split())


PRODUCT = Product("nginx", "nginx", "nginx of Debian", configure)
