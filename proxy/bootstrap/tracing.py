"""Traces: what sends them, if that is configured, and the spans of second requests."""

from __future__ import annotations

import os
import socket
from typing import Final

from proxy.observe.collector import Collector
from proxy.observe.exporter import Exporter, Note
from proxy.observe.masking import masked_path
from proxy.observe.span import Kind, Span, Value
from proxy.serving.inheritance import version as version_of_program
from proxy.settings import ServeSettings
from shadow_compare.traced import Asked

SERVER_ERROR: Final = 500


def exporter(settings: ServeSettings, process: str, note: Note) -> Exporter | None:
    """Give what sends the spans of one process; None when nobody has asked for traces."""
    if settings.otlp is None:
        return None
    version, host = version_of_program(), socket.gethostname()
    resource: dict[str, Value] = {
        "service.name": "cutover",
        "service.version": version,
        "service.instance.id": f"{host} {process}",
        "host.name": host,
        "process.pid": os.getpid(),
    }
    return Exporter(Collector(settings.otlp), resource, version, settings.trace_share, note)


def span_of(asked: Asked, pattern: str, ended: float) -> Span:
    """Give the span of a second request; `pattern` is its route's path, `ended` Unix seconds."""
    path = masked_path(asked.target, pattern)
    attributes: dict[str, Value] = {
        "http.request.method": asked.method,
        "url.path": path,
        "http.route": pattern,
        "server.address": asked.host,
        "server.port": asked.port,
        "cutover.route": asked.route,
        "cutover.side": asked.side,
        "cutover.mirrored": True,
        "cutover.rules_version": asked.version,
    }
    if asked.status:
        attributes["http.response.status_code"] = asked.status
    if error := asked.error or (str(asked.status) if asked.status >= SERVER_ERROR else ""):
        attributes["error.type"] = error
    return Span(
        asked.trace.id,
        asked.trace.span,
        "",
        f"{asked.method} {pattern} mirrored",
        Kind.CLIENT,
        ended - asked.seconds,
        ended,
        attributes,
        link=asked.trace.link,
        failed=bool(error),
    )
