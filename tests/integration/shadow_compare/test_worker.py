from __future__ import annotations

import asyncio
import gzip
import itertools
import os
import shutil
import signal
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from shadow_compare.capture import Headers
from shadow_compare.config import MODERN
from shadow_compare.refusals import IN_A_ROW
from shadow_compare.report import Filters
from shadow_compare.rules import CompareRules
from tests.support import eventually_async
from tests.support_shadow import (
    JSON,
    Running,
    Side,
    a_capture,
    http_answer,
    listening,
    quick_settings,
    running_worker,
)


@pytest.fixture
async def legacy() -> AsyncIterator[Side]:
    """Give a legacy side that listens."""
    async with listening(Side()) as side:
        yield side


@pytest.fixture
async def modern() -> AsyncIterator[Side]:
    """Give a modern side that listens."""
    async with listening(Side()) as side:
        yield side


@pytest.fixture
async def running(tmp_path: Path, legacy: Side, modern: Side) -> AsyncIterator[Running]:
    """Give a worker that knows both sides."""
    async with running_worker(tmp_path) as found:
        found.configure(legacy.port, modern.port)
        yield found


async def told(running: Running, verdict: str, reason: str = "", count: int = 1) -> None:
    """Wait until the worker has told so many of a verdict and reason."""

    async def enough() -> bool:
        return running.total().get((verdict, reason), 0) >= count

    await eventually_async(enough, what=f"{count} x {verdict} {reason}")


async def test_equal_answers_are_a_match_and_counted(running: Running) -> None:
    """A mirrored request that modern answers alike is told as one match and stored as such."""
    await running.send(a_capture().encode())
    await told(running, "match")
    assert running.counts == [("plans", "legacy", "match", "", False, 1)]

    async def stored() -> bool:
        return bool(await running.report.coverage())

    await eventually_async(stored)
    (coverage,) = await running.report.coverage()
    assert (coverage.route, coverage.match, coverage.compared) == ("plans", 1, 1)


async def test_mirrored_request_is_the_clients_marked(running: Running, modern: Side) -> None:
    """The other side sees the client's target, Host and headers, and that it is a mirror."""
    target = "/api/plans?q=%7e%2F..//x&empty"
    headers = (
        ("host", "shop.example"),
        ("x-request-id", "abc"),
        ("accept-encoding", "gzip"),
        ("connection", "x-mine"),
        ("x-mine", "1"),
        ("cutover_shadow", "v1;id=forged"),
        ("if-none-match", '"1"'),
    )
    await running.send(a_capture(target=target, request_headers=headers).encode())
    await told(running, "match")
    first, *fields = modern.heads[0].strip().split("\r\n")
    assert first == f"GET {target} HTTP/1.1"
    assert [each.lower() for each in fields] == [
        "host: shop.example",
        "accept-encoding: gzip",
        "x-request-id: req-1",
        "cutover-shadow: v1;id=req-1",
    ]


async def test_mismatch_is_kept_with_both_answers(
    running: Running, legacy: Side, modern: Side
) -> None:
    """A lasting difference becomes a signature with a redacted sample that can be read back."""
    legacy.reply = lambda _head: http_answer(b'{"price":"9.90"}')
    modern.reply = lambda _head: http_answer(b'{"price":9.5}')
    rules = CompareRules.build(critical=["$.price"], equivalences=["number_as_string"])
    running.configure(legacy.port, modern.port, {"plans": rules})
    cookies = (("host", "shop.example"), ("cookie", "PHPSESSID=secret123"))
    capture = a_capture(body=b'{"price":"9.90"}', request_headers=cookies)
    await running.send(capture.encode(), capture.encode())
    await told(running, "mismatch", count=2)

    async def stored() -> bool:
        found = await running.report.signatures()
        return bool(found) and found[0].count == 2

    await eventually_async(stored)
    (summary,) = await running.report.signatures(Filters(critical=True))
    assert summary.paths == ("$.price",)
    assert summary.kinds == ("type_changed",)
    assert (summary.example_old, summary.example_new) == ('"9.90"', "9.5")
    assert (summary.first_version, summary.rate) == (7, 1.0)
    detail = await running.report.signature(summary.id)
    assert detail is not None
    assert [each.candidate.body for each in detail.samples] == ['{"price":9.5}'] * 2
    assert detail.samples[0].curl.startswith(
        "curl --path-as-is -X GET http://shop.example/api/plans"
    )
    assert "secret123" not in str(detail.to_plain())


async def test_differences_keep_their_sides_when_modern_is_primary(
    running: Running, legacy: Side, modern: Side
) -> None:
    """Legacy stays the old side of a difference after the share has moved to modern."""
    legacy.reply = lambda _head: http_answer(b'{"a":1}')
    modern.reply = lambda _head: http_answer(b'{"a":2}')
    await running.send(a_capture(primary=MODERN, body=b'{"a":2}').encode())
    await told(running, "mismatch")
    assert running.counts == [("plans", MODERN, "mismatch", "", False, 1)]

    async def stored() -> bool:
        return bool(await running.report.signatures())

    await eventually_async(stored)
    (summary,) = await running.report.signatures()
    assert (summary.example_old, summary.example_new) == ("1", "2")


async def test_difference_that_heals_is_a_race(running: Running, modern: Side) -> None:
    """A mismatch that is gone when both sides are asked again counts as race, not as mismatch."""
    answers = iter([http_answer(b'{"a":1}')])
    modern.reply = lambda _head: next(answers, http_answer(b"{}"))
    await running.send(a_capture().encode())
    await told(running, "ignored", "race")
    assert len(modern.heads) == 2


async def test_server_error_is_never_a_race(running: Running, modern: Side) -> None:
    """An error of the candidate stays a mismatch, even when the next attempt would succeed."""
    answers = iter([http_answer(b"{}", "500 Internal Server Error")])
    modern.reply = lambda _head: next(answers, http_answer(b"{}"))
    await running.send(a_capture().encode())
    await told(running, "mismatch")
    assert len(modern.heads) == 1


async def test_dead_candidate_is_not_compared(running: Running, legacy: Side) -> None:
    """A side that nobody listens on is counted by that reason, and the worker goes on."""
    running.configure(legacy.port, 9)
    await running.send(a_capture().encode())
    await told(running, "not_compared", "candidate_unreachable")


async def test_a_candidate_that_refuses_is_spared(running: Running, legacy: Side) -> None:
    """What it is no longer asked is counted alike, and is evidence of nothing."""
    running.configure(legacy.port, 9)
    await running.send(*(a_capture(id=f"r{each}").encode() for each in range(200)))
    await told(running, "not_compared", "candidate_unreachable", 200)

    async def evident() -> bool:
        return len(running.pairs) >= IN_A_ROW

    await eventually_async(evident)
    assert len(running.pairs) < 2 * IN_A_ROW


async def test_silent_candidate_times_out(tmp_path: Path, legacy: Side, modern: Side) -> None:
    """A side that never answers costs the deadline and no more."""
    modern.reply = lambda _head: None
    async with running_worker(tmp_path, quick_settings(deadline=0.05)) as running:
        running.configure(legacy.port, modern.port)
        await running.send(a_capture().encode())
        await told(running, "not_compared", "timeout")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"nonsense\r\n\r\n", "candidate_broken"),
        (http_answer(b"x" * 3000), "too_big"),
        (http_answer(b"no gzip", headers=(*JSON, ("content-encoding", "gzip"))), "undecodable"),
        (
            http_answer(b"\x0b", headers=(*JSON, ("content-encoding", "compress"))),
            "unknown_encoding",
        ),
    ],
)
async def test_answer_that_cannot_be_compared_says_why(
    tmp_path: Path, legacy: Side, modern: Side, answer: bytes, reason: str
) -> None:
    """An answer that breaks HTTP, is too long or cannot be decoded is counted by its reason."""
    modern.reply = lambda _head: answer
    async with running_worker(tmp_path, quick_settings(body_max=2000)) as running:
        running.configure(legacy.port, modern.port)
        await running.send(a_capture().encode())
        await told(running, "not_compared", reason)


async def test_content_encodings_may_differ(running: Running, modern: Side) -> None:
    """A compressed answer equals a plain one of the same content."""
    packed = http_answer(gzip.compress(b'{"a":1}'), headers=(*JSON, ("content-encoding", "gzip")))
    modern.reply = lambda _head: packed
    await running.send(a_capture(body=b'{"a":1}').encode())
    await told(running, "match")


async def test_redirects_and_cookies_are_compared_not_obeyed(
    running: Running, modern: Side
) -> None:
    """A redirect is an answer like any other, and a cookie of one answer is not sent again."""
    moved = (("location", "/elsewhere"), ("set-cookie", "a=1; Path=/"))
    modern.reply = lambda _head: http_answer(b"", "302 Found", moved)
    capture = a_capture(status=302, headers=moved, body=b"")
    await running.send(capture.encode(), capture.encode())
    await told(running, "match", count=2)
    assert [head.split("\r\n")[0] for head in modern.heads] == ["GET /api/plans HTTP/1.1"] * 2
    assert not any("cookie" in head.lower() for head in modern.heads)


async def test_only_reads_are_repeated(running: Running, modern: Side) -> None:
    """A request that could change something is never sent to the other side."""
    await running.send(a_capture(method="POST").encode())
    await told(running, "not_compared", "unsafe_method")
    assert modern.heads == []


async def test_late_captures_are_dropped(running: Running, modern: Side) -> None:
    """What has waited too long is not compared: the data may have moved on."""
    await running.send(a_capture(at=1.0).encode())
    await told(running, "not_compared", "stale")
    assert modern.heads == []


async def test_garbage_does_not_stop_the_worker(running: Running) -> None:
    """Frames that are no captures are counted, and later captures are compared."""
    good = a_capture().encode()
    await running.send(b"\x00\x00\x00\x05nope!", good)
    await running.send(b"\xff\xff\xff\xff out of step")
    wrong = good[:4] + b"\x09" + good[5:]  # a form that nobody knows
    await running.send(wrong, good)
    await told(running, "match", count=2)
    assert running.worker.failures["bad_frame"] == 3


async def test_full_queue_drops_and_counts(tmp_path: Path, legacy: Side, modern: Side) -> None:
    """Beyond its bounds the queue drops at once, and every capture is accounted for."""
    modern.reply = lambda _head: None
    settings = quick_settings(queue_max=3, concurrency=1, deadline=0.2)
    async with running_worker(tmp_path, settings) as running:
        running.configure(legacy.port, modern.port)
        await running.send(a_capture().encode() * 12)

        async def all_told() -> bool:
            return sum(running.total().values()) == 12

        await eventually_async(all_told)
        assert running.total()["not_compared", "dropped"] >= 12 - 3 - 2
        assert running.worker.queued == 0


async def test_store_deleted_in_the_middle_is_made_anew(running: Running, tmp_path: Path) -> None:
    """When the database file disappears, counting goes on and a new file takes what follows."""
    await running.send(a_capture().encode())
    await told(running, "match")

    async def stored() -> bool:
        return sum(each.match for each in await running.report.coverage()) == 1

    await eventually_async(stored)
    (tmp_path / "cutover.db").unlink()
    await running.send(a_capture().encode())
    await told(running, "match", count=2)
    await eventually_async(stored)


async def test_store_that_cannot_be_used_does_not_stop_the_counting(
    running: Running, tmp_path: Path
) -> None:
    """While the store is out of reach counts are told; once it is back they are stored too."""
    for leftover in tmp_path.glob("cutover.db*"):  # noqa: ASYNC240 - a test may block
        leftover.unlink()
    (tmp_path / "cutover.db").mkdir()
    await running.send(a_capture().encode())
    await told(running, "match")

    async def failed() -> bool:
        return running.worker.failures["store_error"] > 0

    await eventually_async(failed)
    shutil.rmtree(tmp_path / "cutover.db")

    async def stored() -> bool:
        return sum(each.match for each in await running.report.coverage()) == 1

    await eventually_async(stored)


async def test_pairs_that_are_evidence_are_told(tmp_path: Path) -> None:
    """A wrong price and a failure of modern alone are told, each with its identity."""
    bodies = {"/a": http_answer(b'{"price":2}'), "/b": http_answer(b"{}", "503 Down")}

    def reply(head: str) -> bytes | None:
        return bodies[head.split(" ")[1]]

    legacy = Side(reply=lambda _head: http_answer(b'{"price":1}'))
    async with (
        listening(legacy) as old,
        listening(Side(reply=reply)) as new,
        running_worker(tmp_path) as running,
    ):
        running.configure(old.port, new.port, {"plans": CompareRules.build(critical=["$.price"])})
        price = b'{"price":1}'
        await running.send(a_capture(target="/a", body=price, identity=17, id="x").encode())
        await running.send(a_capture(target="/b", body=price, identity=18, id="y").encode())
        await running.send(a_capture(target="/a", body=price, identity=19, id="z").encode())

        async def told_all() -> bool:
            return len(running.pairs) >= 4

        await eventually_async(told_all)
        found = {(pair.kind, pair.identity, pair.place) for pair in running.pairs}
        assert found == {
            ("critical", 17, "$.price"),
            ("critical", 19, "$.price"),
            ("modern_failed", 18, ""),
            ("mismatch", 18, "status 200 -> 503"),
        }


async def test_listener_that_fails_is_no_problem(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of whoever is told the counts is counted, and the next counts are told again."""
    calls: list[int] = []

    def broken(_counts: object) -> None:
        calls.append(1)
        raise RuntimeError("listener")

    monkeypatch.setattr(running.worker._ends._tally, "_on_counts", broken)
    await running.send(a_capture().encode())

    async def called() -> bool:
        return bool(calls)

    await eventually_async(called)
    monkeypatch.setattr(running.worker._ends._tally, "_on_counts", running.counts.extend)
    await running.send(a_capture().encode())
    await told(running, "match")
    assert running.worker.failures["internal_error"] == 1


async def test_socket_is_private_and_removed(tmp_path: Path) -> None:
    """Only the own user may connect, a leftover file is replaced, and none stays behind."""
    (tmp_path / "shadow.sock").touch()
    (tmp_path / "shadow.sock").unlink()
    async with running_worker(tmp_path) as running:
        mode = running.socket.stat().st_mode
        assert stat.S_IMODE(mode) == 0o600
        assert stat.S_ISSOCK(mode)
    assert not (tmp_path / "shadow.sock").exists()


async def test_what_is_held_at_the_end_is_kept(tmp_path: Path, legacy: Side, modern: Side) -> None:
    """Stopping the worker tells and stores what it had not told or stored yet."""
    slow = quick_settings(counts_interval=3600, store_interval=3600)
    async with running_worker(tmp_path, slow) as running:
        running.configure(legacy.port, modern.port)
        await running.send(a_capture().encode())

        async def examined() -> bool:
            return running.worker.queued == 0 and bool(running.worker._ends._tally._counts)

        await eventually_async(examined)
    assert running.total() == {("match", ""): 1}
    (coverage,) = await running.report.coverage()
    assert coverage.match == 1
    await running.database.close()


async def test_new_rules_apply_to_the_next_capture(
    running: Running, legacy: Side, modern: Side
) -> None:
    """Another version of the rules takes effect without a restart."""
    modern.reply = lambda _head: http_answer(b'{"clock":1}')
    rules = CompareRules.build(ignore=[{"path": "$.clock", "reason": "the clock"}])
    running.configure(legacy.port, modern.port, {"plans": rules})
    await running.send(a_capture().encode())
    await told(running, "ignored", "rules")
    assert running.worker.version == 7


async def test_many_captures_are_all_accounted_for(running: Running) -> None:
    """Five hundred captures over four streams give five hundred verdicts."""
    frames = a_capture().encode() * 125
    await asyncio.gather(*(running.send(frames) for _ in range(4)))
    await told(running, "match", count=500)


async def test_a_pair_is_judged_by_the_rules_in_force_at_the_end(
    running: Running, legacy: Side, modern: Side
) -> None:
    """What was in flight when the rules were mended is not told as a mismatch by the new ones."""
    declared = {"plans": CompareRules.build(equivalences=["number_as_string"])}

    def reply(_head: str) -> bytes:
        if len(modern.heads) == 1:
            running.configure(legacy.port, modern.port, declared)
        return http_answer(b'{"price": 9.9}')

    modern.reply = reply
    await running.send(a_capture(body=b'{"price": "9.90"}').encode())
    await eventually_async(lambda: _told_anything(running))
    assert {verdict for verdict, _ in running.total()} <= {"match", "ignored"}


class Moved:
    """A side that lives below another path."""

    def __init__(self, top: str) -> None:
        self.top = top

    def request(self, target: str, headers: Headers) -> tuple[str, Headers]:
        """Put the path before, and a Host."""
        return self.top + target, (("host", "inner.test"), *headers[1:])

    def answer(self, headers: Headers, host: str) -> Headers:
        """Take it away again."""
        return tuple(
            (name, value.replace(f"inner.test{self.top}", host)) for name, value in headers
        )


async def test_each_side_is_asked_and_heard_in_its_own_words(
    running: Running, legacy: Side, modern: Side
) -> None:
    """The two answers are equal where the client would have got the same, also when repeated."""
    rewrites = {("plans", "legacy"): Moved("/old"), ("plans", "modern"): Moved("/v2")}
    running.configure(legacy.port, modern.port, rewrites=rewrites)

    def redirect(top: str, status: str) -> bytes:
        location = (("location", f"http://inner.test{top}/login"),)
        return http_answer(b"", status, location)

    legacy.reply = lambda _head: redirect("/old", "302 Found")
    modern.reply = lambda _head: redirect(
        "/v2", "301 Moved" if len(modern.heads) == 1 else "302 Found"
    )
    location = (("location", "http://inner.test/old/login"),)
    capture = a_capture(status=302, headers=location, body=b"")
    await running.send(capture.encode())
    await told(running, "ignored", "race")
    assert [head.split(" ")[1] for head in modern.heads] == ["/v2/api/plans"] * 2
    assert [head.split(" ")[1] for head in legacy.heads] == ["/old/api/plans"]
    assert "host: inner.test\r\n" in modern.heads[0].lower()


async def test_a_capture_from_before_another_rewriting_is_dropped(
    running: Running, legacy: Side, modern: Side
) -> None:
    """The primary was asked otherwise then; on other routes nothing has changed."""
    rewrites = {("plans", "modern"): Moved("/v2")}
    running.configure(legacy.port, modern.port, rewrites=rewrites, version=8)
    await running.send(
        a_capture().encode(), a_capture(route="users").encode(), a_capture(version=8).encode()
    )
    await told(running, "match", count=2)
    await told(running, "not_compared", "stale")
    assert {head.split(" ")[1] for head in modern.heads} == {"/api/plans", "/v2/api/plans"}


async def _told_anything(running: Running) -> bool:
    return bool(running.counts)


def counting(field: str = "n") -> Callable[[str], bytes]:
    """Answer each request with the next number."""
    numbers = itertools.count(1)
    return lambda _head: http_answer(b'{"%s":%d}' % (field.encode(), next(numbers)))


async def test_what_a_side_does_to_itself_is_noise(
    running: Running, legacy: Side, modern: Side
) -> None:
    """A counter is found out by asking the primary's side twice, and excused from then on."""
    legacy.reply, modern.reply = counting(), counting()
    rules = CompareRules.build(noise=0.01, baselines=["legacy", "modern"])
    running.configure(legacy.port, modern.port, {"plans": rules})
    for _ in range(3):
        await running.send(a_capture(body=b'{"n":0}').encode())
    await told(running, "ignored", "noise", count=3)
    assert len(legacy.heads) == len(modern.heads) == 3

    modern.reply = lambda _head: http_answer(b'{"n":"none"}')
    await running.send(a_capture(body=b'{"n":0}').encode())
    await told(running, "mismatch")


async def test_legacy_is_asked_twice_only_where_that_is_allowed(
    running: Running, legacy: Side, modern: Side
) -> None:
    """A GET is not free for PHP: without leave its noise is not measured, modern's is."""
    rules = CompareRules.build(noise=1.0, baselines=["modern"], repeat=False)
    running.configure(legacy.port, modern.port, {"plans": rules})
    modern.reply = counting()
    await running.send(a_capture(body=b'{"n":0}').encode())
    await told(running, "mismatch")
    assert legacy.heads == []
    legacy.reply = counting()
    await running.send(a_capture(body=b'{"n":0}', primary=MODERN).encode())
    await told(running, "ignored", "noise")
    assert len(legacy.heads) == 1
    assert len(modern.heads) == 2


async def test_a_large_pair_holds_up_nobody(running: Running, modern: Side) -> None:
    """Small pairs that come after it are told before it; killed, what compares it is replaced."""
    page = b"<html><body>" + b"<p class='x'>some words</p>" * 3_000

    def page_or_list(head: str) -> bytes:
        if "/page" not in head:
            return http_answer(b"{}")
        return http_answer(page + b"<b>new</b>", headers=(("content-type", "text/html"),))

    modern.reply = page_or_list
    large = a_capture(
        route="pages", target="/page", headers=(("content-type", "text/html"),), body=page
    )
    await running.send(large.encode())
    aside = running.worker._comparer.aside

    async def started() -> int | None:
        return aside.pid

    pid = await eventually_async(started)
    assert pid
    os.kill(pid, signal.SIGSTOP)
    await running.send(a_capture().encode())
    await told(running, "match")
    assert ("mismatch", "") not in running.total()
    os.kill(pid, signal.SIGKILL)
    await told(running, "not_compared", "aside_died")
    await running.send(large.encode())
    await told(running, "mismatch")

    async def stored() -> bool:
        return bool(await running.report.signatures())

    await eventually_async(stored)
