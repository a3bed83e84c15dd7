"""The part of the schema that says how each side is reached: `upstreams` of the rules."""

from __future__ import annotations

import re
from typing import Final

from proxy.routing.node import Node, each
from proxy.routing.side import Side
from proxy.routing.upstream_rules import (
    BreakerRules,
    EjectionRules,
    ProbeRules,
    RetryBudgetRules,
    Timeouts,
    TlsRules,
    UpstreamRules,
)

# reg-name as DNS has it (RFC 1123, 2.1), with the `_` of container names; or an IPv6 address.
_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_\-]{0,61}[A-Za-z0-9_])?"
_NAME: Final = rf"{_LABEL}(?:\.{_LABEL})*\.?"
_ADDRESS: Final = re.compile(
    rf"(https?://(?:{_NAME}|\[[0-9A-Fa-f:.]{{2,45}}\])(?::([0-9]{{1,5}}))?)/?"
)
_HOST: Final = re.compile(rf"(?:{_NAME}|\[[0-9A-Fa-f:.]{{2,45}}\])(?::[0-9]{{1,5}})?")
_SERVER_NAME: Final = re.compile(_NAME)
# origin-form (RFC 9112, 3.2.1) in printable ASCII, without a fragment
_TARGET: Final = re.compile(r"/[!-\"$-~]{0,2000}")

_KEYS: Final = (
    "instances", "max_connections", "max_waiting", "timeouts", "tls", "slow_start",
    "failure_statuses", "ejection", "probe", "breaker", "retry_budget",
)  # fmt: skip


def read_upstreams(node: Node) -> dict[Side, UpstreamRules]:
    """Read both sides."""
    sides = node.mapping(("legacy", "modern"), required=("legacy", "modern"))
    return {
        Side(key): _upstream(Side(key), child)
        for key, child in sides
        if key in ("legacy", "modern")
    }


def _upstream(side: Side, node: Node) -> UpstreamRules:
    keys = node.mapping(_KEYS, required=("instances",))
    instances = keys.read("instances", _instances, ())
    if "instances" in keys and not instances:
        node.problem("`instances` names no address", 'write `["http://127.0.0.1:8081"]`')
    if (tls := keys.get("tls")) is not None and not any(map(_is_secure, instances)):
        tls.problem("no instance of this side is reached over TLS", "write https://HOST:PORT")
    return UpstreamRules(
        side=side,
        instances=instances,
        max_connections=keys.read("max_connections", lambda n: n.count(128, 1, 65_536), 128),
        timeouts=keys.read("timeouts", _timeouts, Timeouts()),
        max_waiting=keys.read("max_waiting", lambda n: n.count(0, 0, 1_000_000), None),
        tls=keys.read("tls", _tls, TlsRules()),
        slow_start=keys.read("slow_start", lambda n: n.duration(0.0), 0.0),
        failure_statuses=keys.read("failure_statuses", each(_failure_status), ()),
        ejection=keys.read("ejection", _ejection, EjectionRules()),
        probe=keys.read("probe", _probe, None),
        breaker=keys.read("breaker", _breaker, None),
        retry_budget=keys.read("retry_budget", _retry_budget, RetryBudgetRules()),
    )


def _instances(node: Node) -> tuple[str, ...]:
    found: list[str] = []
    for item in node.items():
        instance = _instance(item)
        if instance and instance in found:
            item.problem("this instance is named twice", "name it once; the load is balanced")
        found.append(instance)
    return tuple(found)


def _instance(node: Node) -> str:
    text = node.text()
    found = _ADDRESS.fullmatch(text)
    if found is not None and 0 < int(found[2] or 80) <= 65_535:
        return found[1]
    if text:
        node.problem(
            "must be http://HOST:PORT or https://HOST:PORT",
            "paths and credentials do not belong here",
        )
    return ""


def _is_secure(instance: str) -> bool:
    return instance.startswith("https://")


def _timeouts(node: Node) -> Timeouts:
    keys = node.mapping(("connect", "queue", "response", "between", "exchange", "idle", "tunnel"))

    def read(key: str, default: float, least: float) -> float:
        return keys.read(key, lambda n: n.duration(default, least), default)

    base = Timeouts()
    response = read("response", base.response, 0.01)
    return Timeouts(
        connect=read("connect", base.connect, 0.01),
        response=response,
        idle=read("idle", base.idle, 0.1),
        queue=read("queue", base.queue, 0.01),
        between=read("between", response, 0.01),
        exchange=read("exchange", base.exchange, 0.01),
        tunnel=read("tunnel", base.tunnel, 1.0),
    )


def _tls(node: Node) -> TlsRules:
    keys = node.mapping(("ca", "server_name", "verify", "cert", "key"))
    rules = TlsRules(
        ca=keys.read("ca", lambda n: n.text(), ""),
        server_name=keys.read("server_name", _server_name, ""),
        verify=keys.read("verify", lambda n: n.flag(True), True),
        cert=keys.read("cert", lambda n: n.text(), ""),
        key=keys.read("key", lambda n: n.text(), ""),
    )
    if rules.key and not rules.cert:
        node.problem("`key` is given without `cert`", "name the certificate it belongs to")
    return rules


def _server_name(node: Node) -> str:
    text = node.text()
    if text and not _SERVER_NAME.fullmatch(text):
        node.problem("is not the name of a host", "write modern.example, without a port")
        return ""
    return text


def _ejection(node: Node) -> EjectionRules:
    keys = node.mapping(("failures", "duration", "max_duration", "max_ejected"))
    base = EjectionRules()
    duration = keys.read("duration", lambda n: n.duration(base.duration, 0.1), base.duration)
    longest = keys.read(
        "max_duration",
        lambda n: n.duration(base.max_duration, 0.1),
        max(base.max_duration, duration),
    )
    if longest < duration:
        node.problem("`max_duration` is shorter than `duration`", "it is the longest of them")
    return EjectionRules(
        failures=keys.read("failures", lambda n: n.count(5, 1, 10_000), base.failures),
        duration=duration,
        max_duration=longest,
        max_ejected=keys.read("max_ejected", lambda n: n.rate(base.max_ejected), base.max_ejected),
    )


def _probe(node: Node) -> ProbeRules:
    keys = node.mapping(
        ("path", "host", "interval", "timeout", "rise", "fall", "statuses"), required=("path",)
    )
    base = ProbeRules("/")
    return ProbeRules(
        path=keys.read("path", _target, "/"),
        host=keys.read("host", _host, ""),
        interval=keys.read("interval", lambda n: n.duration(base.interval, 0.1), base.interval),
        timeout=keys.read("timeout", lambda n: n.duration(base.timeout, 0.01), base.timeout),
        rise=keys.read("rise", lambda n: n.count(base.rise, 1, 1000), base.rise),
        fall=keys.read("fall", lambda n: n.count(base.fall, 1, 1000), base.fall),
        statuses=keys.read("statuses", each(lambda n: n.count(200, 200, 599)), ()),
    )


def _target(node: Node) -> str:
    text = node.text("/")
    if _TARGET.fullmatch(text):
        return text
    node.problem("is not a path that can be asked for", "write /health")
    return "/"


def _host(node: Node) -> str:
    text = node.text()
    if text and not _HOST.fullmatch(text):
        node.problem("is not a host", "write shop.example or shop.example:8080")
        return ""
    return text


def _breaker(node: Node) -> BreakerRules:
    keys = node.mapping(("failures", "min_attempts", "window", "duration", "trials"))
    base = BreakerRules()
    return BreakerRules(
        failures=keys.read("failures", lambda n: n.rate(base.failures), base.failures),
        min_attempts=keys.read(
            "min_attempts", lambda n: n.count(base.min_attempts, 1), base.min_attempts
        ),
        window=keys.read("window", lambda n: n.duration(base.window, 1.0), base.window),
        duration=keys.read("duration", lambda n: n.duration(base.duration, 0.1), base.duration),
        trials=keys.read("trials", lambda n: n.count(base.trials, 1, 1000), base.trials),
    )


def _retry_budget(node: Node) -> RetryBudgetRules:
    keys = node.mapping(("share", "least", "fallbacks"))
    base = RetryBudgetRules()
    return RetryBudgetRules(
        share=keys.read("share", lambda n: n.rate(base.share), base.share),
        least=keys.read("least", lambda n: n.count(base.least), base.least),
        fallbacks=keys.read("fallbacks", lambda n: n.rate(base.fallbacks), base.fallbacks),
    )


def _failure_status(node: Node) -> int:
    return node.count(503, 400, 599)
