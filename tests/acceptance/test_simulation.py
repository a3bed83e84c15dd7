"""What a running proxy decided can be played again, by its own policy and by another."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

from tests.support import eventually_async
from tests.support_app import App, Trouble
from tests.support_load import Load, Request, under_load
from tests.support_proxy import Proxy

RULES = """\
version: 1
upstreams:
  legacy: {{instances: ["http://127.0.0.1:{legacy}"]}}
  modern: {{instances: ["http://127.0.0.1:{modern}"]}}
defaults:
  sticky_by: [cookie:visitor]
  rollback: {{error_rate: 90%, p95: 5s, mismatch_rate: 90%, min_requests: 100000}}
routes:
  - {{id: t2, match: {{path: /t2}}, weight: 20%}}
  - {{id: t3, match: {{path: /t3}}, weight: 5%, mirror: {{share: 100%}}}}
  - id: t4
    match: {{path: /t4}}
    weight: 10%
    mirror: {{share: 100%, towards: [modern, legacy]}}
    rollback: {{mismatch_rate: 1%}}
  - {{id: t5, match: {{path: /t5}}, weight: 20%, rollback: {{p95: 200ms}}}}
  - id: critical
    match: {{path: /critical}}
    weight: 10%
    mirror: {{share: 100%, towards: [modern, legacy]}}
    compare: {{critical: ["$.total"]}}
  - {{id: rest, match: {{path: /*}}}}
"""
MILDER = {
    "path: /t2}, weight: 20%": "path: /t2}, weight: 0%",
    "path: /t3}, weight: 5%": "path: /t3}, weight: 0%",
    "{mismatch_rate: 1%}": "{mismatch_rate: 80%}",
    "{p95: 200ms}": "{p95: 2s}",
    'critical: ["$.total"]}': 'critical: ["$.total"]}\n    on_breach: freeze',
}
TROUBLES = {
    "/t2": Trouble(failing=0.5),
    "/t3": Trouble(failing=1.0),
    "/t4": Trouble(body=b'{"orders": [1]}', lying=0.3),
    "/t5": Trouble(delay=0.4),
    "/critical": Trouble(body=b'{"orders": [], "total": 2}'),
}


async def test_what_each_detector_did_is_played_again(
    make_proxy: Callable[..., Proxy], legacy: App, modern: App
) -> None:
    """T2 to T5 and a wrong amount: the same detector by the same policy, none by a milder one."""
    proxy = make_proxy(RULES.format(legacy=legacy.port, modern=modern.port))
    await proxy.start()
    paths = cycle(TROUBLES)
    for app in (legacy, modern):
        app.troubles["/critical"] = Trouble(body=b'{"orders": [], "total": 1}')
    load = Load(proxy.port, clients=300, make=lambda: Request(path=next(paths)))
    async with under_load(load):
        await load.reached(600)
        modern.troubles.update(TROUBLES)

        async def all_taken_back() -> bool:
            routes = (await proxy.status())["routes"]
            return all(each["phase"] == "ROLLED_BACK" for each in routes if each["id"] != "rest")

        await eventually_async(all_taken_back, 60, "every route is rolled back")
    live = {
        each["route"]: each["evidence"]["detector"] for each in await proxy.decisions("rollback")
    }
    assert live == {each["id"]: each["id"] for each in (await proxy.status())["routes"][:-1]}
    assert await proxy.stop() == 0
    await proxy.start()

    policy = proxy.folder / "policy.yaml"
    policy.write_text(written := proxy.rules.read_text())
    arguments = ("simulate", "--from", "2020-01-01", "--policy", str(policy))
    same = await proxy.cli(*arguments, "--json")
    assert same.code == 0, same.err
    assert {
        move["route"]: move["detector"]
        for move in same.json()["moves"]
        if move["action"] == "rollback"
    } == live
    for strict, mild in MILDER.items():
        assert strict in written
        written = written.replace(strict, mild)
    policy.write_text(written)
    milder = (await proxy.cli(*arguments, "--json")).json()
    assert [move["action"] for move in milder["moves"]] == ["freeze"]
    assert [note.partition(":")[0] for note in milder["notes"]] == ["t5"]
