"""Each side asked by its own Host, and what its answers say of it heard alike (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shadow_compare.capture import Headers
from shadow_compare.config import Rewrite

_URLS: Final = frozenset({"location", "content-location"})


@dataclass(frozen=True, slots=True)
class OwnHost:
    """What is rewritten towards a side that is asked as `host`, over what the rules rewrite.

    `origin` is how the side calls itself, as in `http://127.0.0.1:8082`. Where it leads to itself,
    its answer leads to the host of the request, as that of the other side does.
    """

    host: str
    origin: str
    rules: Rewrite | None = None

    def request(self, target: str, headers: Headers) -> tuple[str, Headers]:
        """Give target and headers, Host among them, as this side is asked."""
        others = tuple(pair for pair in headers if pair[0] != "host")
        headers = (("host", self.host), *others)
        return (target, headers) if self.rules is None else self.rules.request(target, headers)

    def answer(self, headers: Headers, host: str) -> Headers:
        """Give the headers of this side's answer as a client gets them that asked this host."""
        if self.rules is not None:
            headers = self.rules.answer(headers, host)
        return tuple((n, self._led(v, host) if n in _URLS else v) for n, v in headers)

    def _led(self, url: str, host: str) -> str:
        rest = url[len(self.origin) :]
        is_own = url.lower().startswith(self.origin) and rest[:1] in ("", "/", "?", "#")
        return f"http://{host}{rest}" if is_own else url
