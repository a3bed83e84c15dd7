"""Delivering one alert over HTTP, in a thread: the standard library, and no connection kept."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

TIMEOUT: Final = 5.0
ANSWER_MAX: Final = 4096

AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers after which another attempt may succeed; any other below 500 but 2xx is final."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended. `again` says that another one may do better, after `wait` seconds."""

    delivered: bool
    again: bool
    told: str
    wait: float | None = None


def post(url: str, body: bytes, headers: Mapping[str, str], timeout: float = TIMEOUT) -> Outcome:
    """Send once; blocks for as long as `timeout` for each step. Never raises.

    Redirects are not followed: the body may hold what is meant for this host alone.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    secure = parts.scheme == "https"
    connection: http.client.HTTPConnection
    try:
        if secure:
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(
                parts.hostname or "", parts.port, timeout=timeout, context=context
            )
        else:
            connection = http.client.HTTPConnection(
                parts.hostname or "", parts.port, timeout=timeout
            )
    except (OSError, ValueError) as error:
        return Outcome(False, False, str(error))
    try:
        connection.request("POST", target, body, dict(headers))
        response = connection.getresponse()
        answer = response.read(ANSWER_MAX)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Outcome(False, True, str(error) or type(error).__name__)
    finally:
        connection.close()
    status = response.status
    if 200 <= status < 300:
        return Outcome(True, False, f"answered {status}")
    told = f"answered {status} {answer[:200].decode('utf-8', 'replace')!r}"
    return Outcome(False, status in AGAIN or status > 504, told, _wait(response))


def _wait(response: http.client.HTTPResponse) -> float | None:
    """Read Retry-After (RFC 9110, 10.2.3): seconds, or a date, measured by the answer's own."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 7:
        return float(text)
    try:
        until = parsedate_to_datetime(text)
        return max(0.0, (until - parsedate_to_datetime(response.headers["Date"])).total_seconds())
    except (TypeError, ValueError):
        return None
