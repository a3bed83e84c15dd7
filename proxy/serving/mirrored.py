"""Rewriting for shadow workers, which hold requests and answers as texts."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.routing.rewrites import RewriteRules, compiled
from proxy.routing.rules import Rules
from proxy.routing.side import Side
from proxy.wire.rewriting import Rewriting

Headers = tuple[tuple[str, str], ...]
"""Names in lower case, values as latin-1."""

SCHEME = b"http"
"""A capture does not know by which scheme its client came; both answers are told the same."""


@dataclass(frozen=True, slots=True)
class MirrorRewrite:
    """What is rewritten towards one side of a route, as `shadow_compare.config.Rewrite` asks."""

    rules: RewriteRules
    instances: tuple[str, ...]

    def request(self, target: str, headers: Headers) -> tuple[str, Headers]:
        """Give target and headers, Host among them, as this side is asked."""
        rewriting = self._rewriting
        host = rewriting.host.decode()
        hosts = tuple((name, host or value) for name, value in headers if name == "host")
        others = tuple(pair for pair in headers if pair[0] != "host")
        asked = rewriting.target(target.encode("latin-1")).decode("latin-1")
        return asked, hosts + _pairs(rewriting.request(_block(others)))

    def answer(self, headers: Headers, host: str) -> Headers:
        """Give the headers of this side's answer as a client gets them that asked this host."""
        block = self._rewriting.answer(_block(headers), SCHEME, host.encode("latin-1"))
        return _pairs(block)

    @property
    def _rewriting(self) -> Rewriting:
        return compiled(self.rules, self.instances) or Rewriting()


def mirror_rewrites(rules: Rules) -> dict[tuple[str, str], MirrorRewrite]:
    """Give what is rewritten, by route and side, without those where nothing is."""
    return {
        (route.id, side.value): MirrorRewrite(written, rules.upstream(side).instances)
        for route in rules.routes
        for side in Side
        if (written := route.rewrite.towards(side)) != RewriteRules()
    }


def _block(headers: Headers) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode("latin-1")


def _pairs(block: bytes) -> Headers:
    lines = block.decode("latin-1").split("\r\n")[:-1]
    pairs = (line.partition(": ") for line in lines)
    return tuple((name.lower(), value) for name, _, value in pairs)
