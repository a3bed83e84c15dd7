"""Rewriting as written, for each side of a route, and compiled for the requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from proxy.routing.side import Side
from proxy.wire.path_rewrite import PathRewrite
from proxy.wire.references import References
from proxy.wire.rewriting import Edits, Rewriting

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FieldEdits:
    """Fields by name and value: to be put in place of others, to be added, and to be removed."""

    set: Pairs = ()
    add: Pairs = ()
    remove: tuple[str, ...] = ()

    def compile(self, *, fold: bool) -> Edits | None:
        """Give the edits, or None when there is nothing to do."""
        if self == FieldEdits():
            return None
        removed = (*self.remove, *(name for name, _ in self.set))
        return Edits(removed, (*self.set, *self.add), fold=fold)


@dataclass(frozen=True, slots=True)
class PathRules:
    """What is taken from the front of a path, and what is put before it; `/` is nothing."""

    strip: str = "/"
    prefix: str = "/"

    def compile(self) -> PathRewrite | None:
        """Give the rewriting, or None when there is nothing to do."""
        if self.strip == self.prefix:
            return None
        return PathRewrite(self.strip.rstrip("/").encode(), self.prefix.rstrip("/").encode())


@dataclass(frozen=True, slots=True)
class RewriteRules:
    """What is rewritten towards one side of a route.

    `host` is empty for the client's own; `cookie_domain` maps a domain to another, or to nothing.
    """

    path: PathRules = field(default_factory=PathRules)
    host: str = ""
    request: FieldEdits = field(default_factory=FieldEdits)
    response: FieldEdits = field(default_factory=FieldEdits)
    location: bool = False
    cookie_domain: Pairs = ()

    def compile(self, instances: tuple[str, ...]) -> Rewriting | None:
        """Give the rewriting towards these instances, or None when there is nothing to do."""
        if self == RewriteRules():
            return None
        path = self.path.compile()
        return Rewriting(
            path=path,
            host=self.host.encode(),
            request=self.request.compile(fold=True),
            answer=self.response.compile(fold=False),
            references=self._references(path, instances),
        )

    def _references(
        self, path: PathRewrite | None, instances: tuple[str, ...]
    ) -> References | None:
        if not (self.location or path or self.cookie_domain):
            return None
        scheme = instances[0].partition("://")[0] if instances else "http"
        own = [*instances, *([f"{scheme}://{self.host}"] if self.host else [])]
        return References(
            own=[url.encode() for url in own],
            scheme=scheme.encode(),
            path=path,
            domains={old.encode(): new.encode() for old, new in self.cookie_domain},
            locations=self.location,
        )


@lru_cache(maxsize=256)
def compiled(rules: RewriteRules, instances: tuple[str, ...]) -> Rewriting | None:
    """As `RewriteRules.compile`; routes that say the same, by `defaults`, share one rewriting."""
    return rules.compile(instances)


@dataclass(frozen=True, slots=True)
class Rewrites:
    """What is rewritten on one route, by side."""

    legacy: RewriteRules = field(default_factory=RewriteRules)
    modern: RewriteRules = field(default_factory=RewriteRules)

    def towards(self, side: Side) -> RewriteRules:
        """Give the rules of one side."""
        return self.modern if side is Side.MODERN else self.legacy
