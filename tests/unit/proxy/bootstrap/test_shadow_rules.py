from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proxy.bootstrap.shadow_rules import shadow_config
from proxy.snapshot import Snapshot
from proxy.upstream.connect import TlsError
from shadow_compare.config import ShadowConfig
from shadow_compare.read_back import ReadBack
from tests.support_exchange import sides
from tests.support_routing import plain, route, rules


def told(version: int = 1, **modern: Any) -> ShadowConfig:
    """Tell a shadow worker of rules in which modern is so."""
    upstreams = sides(modern=modern)
    return shadow_config(Snapshot(version, plain(upstreams=upstreams), rules(upstreams=upstreams)))


def test_a_shadow_worker_verifies_whom_it_asks() -> None:
    """As the data plane does; what needs no TLS has none."""
    config = told(instances=["https://m"], tls={"server_name": "modern.test"})
    legacy, modern = config.sides["legacy"], config.sides["modern"]
    assert legacy.tls is None
    assert modern.tls is not None
    assert modern.tls.verify_mode is ssl.CERT_REQUIRED
    assert (modern.tls.check_hostname, modern.server_name) == (True, "modern.test")


def test_connections_outlive_a_version_that_changes_nothing_of_a_side() -> None:
    """They are kept by their TLS, too."""
    first = told(1, instances=["https://m"]).sides["modern"]
    assert told(2, instances=["https://m"]).sides["modern"].tls is first.tls
    assert told(3, instances=["https://m"], max_connections=7).sides["modern"].tls is not first.tls


def test_shadow_workers_share_what_mirroring_may_cost() -> None:
    """Each has its equal part, of at least one at once."""
    said = {"rate": "8/s", "concurrency": 6}
    routes = [
        route("/a", "a", mirror=said),
        route("/b", "b", mirror={"concurrency": 1}),
        route("/c", "c"),
    ]
    mirror = {"concurrency": 10, "legacy_rate": "20/s"}
    found = rules(*routes, mirror=mirror)
    config = shadow_config(Snapshot(1, plain(*routes, mirror=mirror), found), workers=4)
    assert config.concurrency == {"a": 1, "b": 1}
    assert (config.together, config.legacy_rate) == (2, 5.0)
    alone = shadow_config(Snapshot(1, plain(*routes), rules(*routes)))
    assert alone.concurrency == {"a": 6, "b": 1}
    assert (alone.together, alone.legacy_rate) == (None, None)


def test_shadow_workers_are_told_which_writes_they_mirror_and_read_back() -> None:
    """With the version in which that was resumed, and where each id comes from."""
    said = {
        "writes": "dry_run",
        "read_back": {"path": "/users/{id}/orders/{n}", "ids": {"n": "$.data[0].n"}, "after": "2s"},
    }
    routes = [route("/users/{id}/orders", "a", mirror=said), route("/b", "b")]
    snapshot = Snapshot(5, plain(*routes), rules(*routes), write_epochs={"a": 4})
    config = shadow_config(snapshot)
    assert config.writes == {"a": 4}
    assert config.read_backs == {
        "a": ReadBack("/users/{id}/orders/{n}", {"id": 1}, {"n": ("data", 0, "n")}, 2.0, 10.0)
    }
    halted = shadow_config(replace(snapshot, halted_writes=frozenset({"a"})))
    assert (halted.writes, set(halted.read_backs)) == ({}, {"a"})


def test_shadow_workers_are_told_where_requests_have_ids() -> None:
    """Of a name in the path, which segment it is: in the route's own, and in what is read back."""
    names = [{"path": "$.id", "as": "user"}]
    translate = [{"at": "path.id", "as": "user"}, {"at": "query.by", "as": "user"}]
    written = route(
        "/users/{id}/orders",
        "a",
        compare={"correspond": names, "translate": translate},
        mirror={"read_back": {"path": "/v2/of/{id}?full=1"}},
    )
    config = shadow_config(Snapshot(1, plain(written), rules(written)))
    found = [(each.at, each.segment) for each in config.routes["a"].translate]
    assert found == [("path.id", 1), ("query.by", None)]
    back = config.read_backs["a"].translate
    assert [(each.at, each.segment) for each in back] == [("path.id", 2)]


def test_what_is_read_back_by_an_id_of_its_answer_is_not_translated() -> None:
    """Such an id is not the one of the path that has the same name."""
    written = route(
        "/users/{id}",
        "a",
        compare={
            "correspond": [{"path": "$.id", "as": "user"}],
            "translate": [{"at": "path.id", "as": "user"}],
        },
        mirror={"read_back": {"path": "/orders/{id}", "ids": {"id": "$.order"}}},
    )
    config = shadow_config(Snapshot(1, plain(written), rules(written)))
    assert config.read_backs["a"].translate == ()


def test_a_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """So that the worker keeps the rules it has."""
    with pytest.raises(TlsError, match="missing"):
        told(instances=["https://m"], tls={"ca": str(tmp_path / "missing")})
