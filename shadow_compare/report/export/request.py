"""The request of a sample, read back from the command that is kept of it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked; `target` is path and query, `body` the text, empty for none, `host` whom."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: str = ""
    host: str = ""


def request_of(curl: str) -> Request:
    """Read a command as `shadow_compare.sample.curl_of` writes it."""
    words = iter(shlex.split(curl)[1:])
    method, url, body = "GET", "", ""
    headers: list[tuple[str, str]] = []
    for word in words:
        match word:
            case "--path-as-is":
                pass
            case "--head":
                method = "HEAD"
            case "-X":
                method = next(words, "GET")
            case "-H":
                name, _, value = next(words, "").partition(": ")
                headers.append((name, value))
            case "--data-raw":
                body = next(words, "")
            case _:
                url = word
    parts = urlsplit(url)
    target = url[len(f"{parts.scheme}://{parts.netloc}") :]
    return Request(method, target or "/", tuple(headers), body, parts.netloc)
