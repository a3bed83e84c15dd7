"""The decision for one request, step by step: the chain of `proxy.routing`, put into words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from proxy.admin.console import wording
from proxy.admin.explain_route import asked_words, limit_words
from proxy.admin.schemas import RequestToExplain
from proxy.routing.decision import Decision, Reason
from proxy.routing.identity import MINT_PREFIX
from proxy.routing.override import FIELD, Refusal, read_override
from proxy.routing.rules import WEIGHT_MAX, Cohort, RouteRules
from proxy.routing.side import Side
from proxy.routing.table import Route, Table
from proxy.wire.forwarding import Peer
from proxy.wire.head import read_request
from proxy.wire.message import RequestHead

SHOWN_MAX = 60

_REFUSALS = {
    Refusal.MALFORMED: "it is neither legacy nor modern, alone or with a token",
    Refusal.FORGED: "no key of this proxy has signed its token for this side and route",
    Refusal.EXPIRED: "its token has expired",
    Refusal.OTHER_ROUTE: "its token is for another route",
}

_ORDER = (
    Reason.KILL_SWITCH,
    Reason.OVERRIDE,
    Reason.PIN,
    Reason.ROLLED_BACK,
    Reason.COHORT,
    Reason.WEIGHT,
    Reason.BUCKET,
)
"""The order in which `Route.decide` asks."""


@dataclass(frozen=True, slots=True)
class Step:
    """One question of the chain: `outcome` is yes, no or skipped (an earlier one had decided)."""

    name: str
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which side serves a request and why; without a route no side does."""

    version: int
    method: str
    path: str
    route: str | None
    side: str | None
    reason: str
    bucket: int | None
    steps: tuple[Step, ...] = field(default=())

    def to_plain(self) -> dict[str, Any]:
        """As the JSON of the API."""
        return {
            "version": self.version,
            "method": self.method,
            "path": self.path,
            "route": self.route,
            "side": self.side,
            "reason": self.reason,
            "bucket": self.bucket,
            "steps": [
                {"name": step.name, "outcome": step.outcome, "detail": step.detail}
                for step in self.steps
            ],
        }


def explain(
    table: Table, request: RequestToExplain, override_key: bytes = b"", now: float = 0.0
) -> Explanation:
    """Explain what the table decides for this request; `client_ip` is who connects to the proxy.

    The request goes through the proxy's own parser and table, so that the two cannot disagree.
    Without the key that signs overrides a token is not judged. `now` in seconds of the epoch.
    Raises RequestError for a request that the proxy refuses before it looks for a route.
    """
    head = read_request(_head(request))
    route = table.match(head.method, head.path)
    if route is None:
        return _no_route(table.version, head)
    trusted = table.trusts(request.client_ip)
    client = Peer(request.client_ip, 0, trusted=trusted).client_address(head, table.trusts)
    parameters = table.parameters(route, head.path)
    identity = route.identify(head, client, parameters)
    cohort = route.cohort(head, parameters)
    asked = head.get(FIELD)
    override = (
        None
        if asked is None
        else read_override(asked, key=override_key, route=route.id, now=now, trusted=trusted)
    )
    side = override if isinstance(override, Side) else None
    decision = route.decide(identity or MINT_PREFIX, side, cohort)
    drawn = identity is None and decision.reason is Reason.BUCKET
    words = {
        Reason.KILL_SWITCH: "on: everything goes to legacy" if table.kill_switch else "off",
        Reason.OVERRIDE: _override_words(asked, override, request.client_ip, bool(override_key)),
        Reason.PIN: _pin_words(table, decision),
        Reason.ROLLED_BACK: _rolled_back_words(decision),
        Reason.COHORT: _cohort_words(route.rules, cohort),
        Reason.WEIGHT: _weight_words(route),
        Reason.BUCKET: _drawn_words(route) if drawn else _bucket_words(route, decision),
    }
    return Explanation(
        version=table.version,
        method=head.method,
        path=head.path,
        route=route.id,
        side=None if drawn else decision.side.value,
        reason=decision.reason.value,
        bucket=None if drawn else decision.bucket,
        steps=(
            Step("route", "yes", _route_words(route.rules)),
            Step("identity", "yes", _identity_words(route, identity)),
            *_chain(decision, words),
            *_besides(route, head),
        ),
    )


def _override_words(
    asked: bytes | None, found: Side | Refusal | None, client_ip: str, has_key: bool
) -> str:
    """Say what the field Cutover-Side comes to, and why."""
    if asked is None or found is None:
        return "no Cutover-Side header"
    if isinstance(found, Side):
        why = "with a valid token" if b"token=" in asked else f"from {client_ip}, which is trusted"
        return f"Cutover-Side: {found.value}, {why}"
    if found is Refusal.UNSIGNED:
        why = f"{client_ip} is not in trusted_networks, and there is no token"
    elif found is Refusal.FORGED and not has_key:
        why = "only the running proxy can judge its token"
    else:
        why = _REFUSALS[found]
    return f"Cutover-Side ignored: {why} ({shown(asked)})"


def shown(value: bytes) -> str:
    """Write a value that came from a request: cut, and without control characters."""
    text = value.decode("utf-8", "replace")
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"


def _head(request: RequestToExplain) -> bytes:
    """Write the request as a client would; one without a Host gets any."""
    fields = list(request.headers)
    if all(name.lower() != "host" for name, _ in fields):
        fields.append(("Host", "localhost"))
    lines = [f"{request.method} {request.target} HTTP/1.1"]
    lines += [f"{name}: {value.strip()}" for name, value in fields]
    return "\r\n".join(lines).encode("latin-1", "replace")


def _no_route(version: int, head: RequestHead) -> Explanation:
    detail = f"no route takes {head.method} {head.path}; the answer is 404"
    steps = (Step("route", "no", detail),)
    return Explanation(version, head.method, head.path, None, None, "no_route", None, steps)


def _chain(decision: Decision, words: Mapping[Reason, str]) -> list[Step]:
    """Order the questions; what `decide` answered says which one was decisive."""
    decisive = _ORDER.index(decision.reason)
    steps = [Step(reason.value, "no", words[reason]) for reason in _ORDER[:decisive]]
    steps.append(Step(decision.reason.value, "yes", words[decision.reason]))
    steps += [Step(reason.value, "skipped", "already decided") for reason in _ORDER[decisive + 1 :]]
    return steps


def _besides(route: Route, head: RequestHead) -> list[Step]:
    """Tell limits and rewriting where the route has any; neither takes part in the decision."""
    words = {"limits": limit_words(route.rules.limits)}
    words |= {f"towards {side.value}": asked_words(route, side, head) for side in Side}
    return [Step(name, "yes", detail) for name, detail in words.items() if detail is not None]


def _route_words(rules: RouteRules) -> str:
    methods = " ".join(rules.match.methods) or "any method"
    line = f" (line {rules.line})" if rules.line else ""
    return f"{rules.id}: {methods} {rules.match.path}{line}"


def _identity_words(route: Route, identity: bytes | None) -> str:
    """Name the identity, and the sources asked before the one it came from."""
    sources = route.rules.sticky_by
    if identity is None:
        found, kind = "none yet: a new cookie is set", "mint"
    else:
        found, kind = shown(identity), identity.partition(b"=")[0].decode("latin-1")
    missing = ", ".join(sources[: sources.index(kind)] if kind in sources else sources)
    return f"{found}{f' (not there: {missing})' if missing else ''}"


def _pin_words(table: Table, decision: Decision) -> str:
    if decision.reason is Reason.PIN:
        return f"this identity is pinned to {decision.side.value}"
    return "this identity is not pinned" if table.rules.pins else "nobody is pinned"


def _rolled_back_words(decision: Decision) -> str:
    if decision.reason is Reason.ROLLED_BACK:
        return "the route is rolled back: legacy serves it until it is resumed"
    return "the route is not rolled back"


def _cohort_words(rules: RouteRules, cohort: Cohort | None) -> str:
    if cohort is None:
        return "this request belongs to no cohort" if rules.cohorts else "there are no cohorts here"
    return f"by {cohort.source} it belongs to {cohort.id}: {cohort.side.value}"


def _weight_words(route: Route) -> str:
    if route.weight in (0, WEIGHT_MAX):
        return f"{wording.weight(route.weight)}: the same side for everybody"
    return f"{wording.weight(route.weight)}: the bucket decides"


def _drawn_words(route: Route) -> str:
    weight = wording.weight(route.weight)
    return f"drawn with the new cookie: {weight} of new identities go to modern, and stay there"


def _bucket_words(route: Route, decision: Decision) -> str:
    sign = "<" if decision.side is Side.MODERN else ">="
    return (
        f"bucket {decision.bucket} of 0..9999 {sign} {route.weight} "
        f"({wording.weight(route.weight)}): {decision.side.value}"
    )
