from __future__ import annotations

from proxy.bootstrap.shadow_rules import shadow_config
from proxy.routing.rewrites import FieldEdits, PathRules, RewriteRules
from proxy.serving.mirrored import MirrorRewrite
from proxy.snapshot import Snapshot
from tests.support_routing import plain, route, rules

MOVED = MirrorRewrite(
    RewriteRules(
        path=PathRules("/api", "/v2"),
        host="modern.internal",
        request=FieldEdits(set=(("X-Env", "prod"),), remove=("X-Debug",)),
        response=FieldEdits(remove=("Server",)),
        location=True,
    ),
    ("http://10.0.0.5:8082",),
)


def test_a_mirrored_request_asks_in_the_words_of_its_side() -> None:
    """As the data plane would: target, Host and fields; Host stays the first."""
    headers = (("host", "shop.test"), ("x-debug", "1"), ("cookie", "a=\xfc"), ("x-env", "mine"))
    assert MOVED.request("/api/x?q=/api", headers) == (
        "/v2/x?q=/api",
        (("host", "modern.internal"), ("cookie", "a=\xfc"), ("x-env", "prod")),
    )


def test_its_answer_is_compared_in_the_words_of_clients() -> None:
    """So that two sides that live elsewhere can answer alike."""
    own = (("location", "http://10.0.0.5:8082/v2/login"), ("server", "x"), ("x-a", ""))
    assert MOVED.answer(own, "shop.test") == (
        ("location", "http://shop.test/api/login"),
        ("x-a", ""),
    )


def test_the_client_s_host_stays_where_it_is_not_rewritten() -> None:
    """And nothing else changes."""
    tagged = MirrorRewrite(RewriteRules(request=FieldEdits(add=(("X-Tag", "a"),))), ("http://a",))
    assert tagged.request("/x", (("host", "shop.test"),)) == (
        "/x",
        (("host", "shop.test"), ("x-tag", "a")),
    )


def configured(version: int, *routes: dict[str, object]) -> Snapshot:
    """Make a snapshot of these routes."""
    return Snapshot(version, plain(*routes), rules(*routes))


def test_a_shadow_worker_is_told_what_is_rewritten_and_where_it_changes() -> None:
    """By route and side; a change of anything else on the route is none."""
    api = route("/api/*", "api", rewrite={"modern": {"host": "m"}})
    before = shadow_config(configured(1, api, route()))
    assert list(before.rewrites) == [("api", "modern")]
    weighed = shadow_config(configured(2, {**api, "weight": "10%"}, route()))
    assert weighed.rewritten_anew(before) == frozenset()
    changed = shadow_config(configured(3, {**api, "rewrite": {"modern": {"host": "n"}}}, route()))
    assert changed.rewritten_anew(before) == {"api"}
    assert shadow_config(configured(4, route())).rewritten_anew(before) == {"api"}
