"""What live shadowing does a replay does: rewriting, ids, noise, the second look, one spelling."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support_commands import cutover
from tests.support_shadow import JSON, Side, http_answer, listening

Reply = Callable[[str], bytes]


def target_of(head: str) -> str:
    """Give what a request asks for."""
    return head.split(" ")[1]


def log_of(*targets: str) -> str:
    """Write an access log."""
    return "".join(f'::1 - - [x] "GET {target} HTTP/1.1" 200 1\n' for target in targets)


def rules_of(*routes: dict[str, Any]) -> str:
    """Write rules; JSON is YAML."""
    nowhere = {"instances": ["http://127.0.0.1:9"]}
    return json.dumps(
        {"version": 1, "upstreams": {"legacy": nowhere, "modern": nowhere}, "routes": routes}
    )


class Run:
    """What a replay has ended with, and what both sides were asked."""

    def __init__(self, report: dict[str, Any], legacy: Side, modern: Side, errors: str) -> None:
        self.report = report
        self.legacy = legacy.heads
        self.modern = modern.heads
        self.errors = errors

    @property
    def verdicts(self) -> dict[str, int]:
        """Count verdicts, and reasons of what was not compared."""
        found: Counter[str] = Counter()
        for each in self.report["coverage"]:
            for name in ("match", "ignored", "mismatch"):
                found[name] += each[name]
            found.update(each["not_compared"])
        return {name: count for name, count in found.items() if count}

    @property
    def fired(self) -> dict[str, int]:
        """Count rules that were needed."""
        found: Counter[str] = Counter()
        for each in self.report["coverage"]:
            found.update(each["fired"])
        return dict(found)


async def replayed(
    directory: Path, traffic: str | bytes, legacy: Reply, modern: Reply, *options: str,
    rules: str = "",
) -> Run:  # fmt: skip
    """Replay traffic against two sides that answer so, one request at a time."""
    file = directory / "traffic"
    file.write_bytes(traffic if isinstance(traffic, bytes) else traffic.encode())
    if rules:
        (directory / "rules.yaml").write_text(rules)
        options = (*options, "--rules", str(directory / "rules.yaml"))
    async with listening(Side(legacy)) as one, listening(Side(modern)) as other:
        where = [f"http://127.0.0.1:{side.port}" for side in (one, other)]
        given = ("--legacy", where[0], "--modern", where[1], "--concurrency", "1", "--json")
        found = await asyncio.to_thread(cutover, "replay", str(file), *given, *options)
        return Run(json.loads(found.out), one, other, found.err)


def plain(_head: str) -> bytes:
    """Answer always the same."""
    return http_answer(b'{"id":1}')


async def test_each_side_is_asked_by_its_own_paths_and_fields(tmp_path: Path) -> None:
    """As the rules of the route rewrite them; and by its own Host where they do not say one."""
    rewrite = {
        "modern": {
            "path": {"strip": "/api", "prefix": "/v2"},
            "host": "modern.internal",
            "request": {"set": {"X-Env": "test"}},
        }
    }
    rules = rules_of({"id": "all", "match": {"path": "/*"}, "rewrite": rewrite})
    run = await replayed(tmp_path, log_of("/api/x?a=1"), plain, plain, rules=rules)
    assert run.verdicts == {"match": 1}
    assert target_of(run.legacy[0]) == "/api/x?a=1"
    assert target_of(run.modern[0]) == "/v2/x?a=1"
    assert "host: modern.internal\r\nx-env: test" in run.modern[0].lower()
    assert "host: 127.0.0.1:" in run.legacy[0].lower()
    assert "cutover-shadow" not in run.modern[0].lower()


async def test_the_route_is_found_by_the_path_in_one_spelling(tmp_path: Path) -> None:
    """As the proxy finds and forwards it; what the proxy refuses is not sent."""
    routes = [
        {"id": "plans", "match": {"path": "/api/plans"}},
        {"id": "rest", "match": {"path": "/*"}},
    ]
    log = log_of("/api/./%70lans", "//api//plans", "/a%2Fb")
    run = await replayed(tmp_path, log, plain, plain, rules=rules_of(*routes))
    assert [target_of(head) for head in run.modern if "plans" in head] == ["/api/plans"] * 2
    coverage = {each["route"]: each for each in run.report["coverage"]}
    assert coverage["plans"]["compared"] == 2
    assert run.verdicts == {"match": 2, "bad_request": 1}


async def test_ids_are_learnt_from_one_answer_and_used_in_the_next(tmp_path: Path) -> None:
    """Modern is asked by its own names, and what nobody knows is not asked at all."""
    names = {"/users": b'[{"id":%s}]', "/users/981": b'{"id":%s}', "/users/7f3a": b'{"id":%s}'}
    correspond = {"correspond": [{"path": "$[*].id", "as": "user"}, {"path": "$.id", "as": "user"}]}
    translate = [{"at": "path.id", "as": "user"}]
    rules = rules_of(
        {"id": "list", "match": {"path": "/users"}, "compare": correspond},
        {
            "id": "user",
            "match": {"path": "/users/{id}"},
            "compare": {**correspond, "translate": translate},
        },
    )
    run = await replayed(
        tmp_path,
        log_of("/users/981", "/users", "/users/981"),
        lambda head: http_answer(names[target_of(head)] % b"981"),
        lambda head: http_answer(names[target_of(head)] % b'"7f3a"'),
        rules=rules,
    )  # fmt: skip
    assert run.verdicts == {"match": 2, "unknown_id": 1}
    assert {target_of(head) for head in run.modern} == {"/users", "/users/7f3a"}
    assert {target_of(head) for head in run.legacy} == {"/users", "/users/981"}
    assert run.fired["translate:path.id"] == 1


async def test_what_changes_by_itself_is_noise_and_what_heals_a_race(tmp_path: Path) -> None:
    """The same second answers and second looks as of live traffic."""
    counts: Counter[str] = Counter()

    def noisy(head: str) -> bytes:
        counts[target_of(head)] += 1
        return http_answer(b'{"n":%d}' % sum(counts.values()))

    def late(head: str) -> bytes:
        counts[head] += 1
        return http_answer(b'{"id":%d}' % (2 if "race" in head and counts[head] == 1 else 1))

    log = log_of(*(["/noise"] * 60))
    run = await replayed(tmp_path, log, noisy, noisy, "--max-mismatch", "100%")
    assert run.verdicts.get("ignored", 0) > 30
    (tmp_path / "traffic.replay.db").unlink()
    run = await replayed(tmp_path, log_of("/race"), plain, late)
    assert run.verdicts == {"ignored": 1}


async def test_where_a_side_leads_to_itself_is_no_difference(tmp_path: Path) -> None:
    """Each leads to the host it was asked by, which is its own."""

    def leading(head: str) -> bytes:
        host = next(line[6:] for line in head.split("\r\n") if line.startswith("host: "))
        return http_answer(b"", "302 Found", (*JSON, ("Location", f"http://{host}/in")))

    run = await replayed(tmp_path, log_of("/"), leading, leading)
    assert run.verdicts == {"match": 1}


async def test_only_what_was_asked_of_the_host_is_sent(tmp_path: Path) -> None:
    """An archive of a browser has what a page loads from elsewhere, too."""
    urls = ["https://shop.example/a", "https://cdn.example/b"]
    entries = [{"request": {"method": "GET", "url": url, "headers": []}} for url in urls]
    har = json.dumps({"log": {"entries": entries}})
    run = await replayed(tmp_path, har, plain, plain, "--host", "Shop.example")
    assert run.verdicts == {"match": 1, "other_host": 1}
    assert {target_of(head) for head in run.modern} == {"/a"}


async def test_what_a_recording_hides_is_not_made_up(tmp_path: Path) -> None:
    """Fields are left out, which is told; what was hidden elsewhere is not sent."""
    hidden = "[redacted 0123456789ab]"
    requests = [
        f"GET /a HTTP/1.1\r\nCookie: s={hidden}\r\nAccept: x\r\n\r\n",
        "GET /b?token=%5Bredacted%200123456789ab%5D HTTP/1.1\r\nHost: h\r\n\r\n",
    ]
    file = "".join(f"1 a 1\n{each}\n🐵🙈🙉\n" for each in requests)
    run = await replayed(tmp_path, file, plain, plain)
    assert run.verdicts == {"match": 1, "redacted": 1}
    assert "cookie" not in run.modern[0].lower()
    assert run.report["notes"] == [
        "Sent without the cookies or credentials that the recording hides: 1 request"
    ]
    (tmp_path / "traffic.replay.db").unlink()
    run = await replayed(tmp_path, file, plain, plain, "-H", "Cookie: s=test")
    assert "cookie: s=test" in run.modern[0].lower()
    assert run.report["notes"] == []


async def test_another_replay_does_not_go_on_with_these_results(tmp_path: Path) -> None:
    """The same files, other rules or sides: it says what to do."""
    async with listening(Side(plain)) as side:
        file = tmp_path / "log"
        file.write_text(log_of("/a"))
        where = (
            "--legacy",
            f"http://127.0.0.1:{side.port}",
            "--modern",
            f"http://127.0.0.1:{side.port}",
        )
        first = await asyncio.to_thread(cutover, "replay", str(file), *where)
        again = await asyncio.to_thread(cutover, "replay", str(file), *where)
        changed = await asyncio.to_thread(cutover, "replay", str(file), *where, "-H", "X: y")
    assert (first.code, again.code, changed.code) == (0, 0, 2)
    assert "1 requests are done already" in again.err or "1 request is done already" in again.err
    assert "belongs to another replay" in changed.err
    assert "delete it, or say --state" in changed.err
