"""Mirrored writes as the workers send them: once each, acknowledged, or no more."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shadow_compare.capture import Capture
from shadow_compare.contract import acknowledgement, read_mark
from shadow_compare.rules import CompareRules
from shadow_compare.store.database import Database
from shadow_compare.store.permits import Permits
from shadow_compare.store.tables import metadata
from tests.support import eventually_async
from tests.support_shadow import (
    JSON,
    WRITE_KEY,
    Running,
    Side,
    a_capture,
    http_answer,
    listening,
    quick_settings,
    running_worker,
)

BODY = b'{"id":1}'
_IDS = iter(range(1_000_000))


def a_write(route: object = "create", **changes: object) -> Capture:
    """Give a POST that legacy has answered just now."""
    values: dict[str, object] = {
        "id": f"w{next(_IDS)}",
        "route": route,
        "method": "POST",
        "target": f"/{route}",
        "request_body": b"name=x",
        "status": 201,
        "body": BODY,
    }
    return a_capture(**{**values, **changes})


def acknowledging(head: str) -> bytes:
    """Answer as an application that takes part."""
    return http_answer(BODY, "201 Created", (*JSON, ("Cutover-Shadow-Ack", signed(head))))


def signed(head: str, key: bytes = WRITE_KEY, body: bytes = BODY) -> str:
    """Write the acknowledgement of the request with this head."""
    found = re.search(r"cutover-shadow: (\S+)", head)
    assert found is not None
    mark = read_mark(found[1])
    assert mark is not None
    return acknowledgement(key, mark.id, 201, body)


def unaware(_head: str) -> bytes:
    """Answer as an application that does not, and has carried it out."""
    return http_answer(BODY, "201 Created")


@dataclass
class Scene:
    """Workers over one store, and the modern application."""

    modern: Side
    workers: list[Running] = field(default_factory=list)

    @property
    def writes(self) -> list[str]:
        """Heads of the writes that modern has received."""
        return [head for head in self.modern.heads if head.startswith("POST")]

    def total(self) -> dict[tuple[str, str], int]:
        """Count how they ended, over all workers."""
        found: dict[tuple[str, str], int] = {}
        for worker in self.workers:
            for ended, count in worker.total().items():
                found[ended] = found.get(ended, 0) + count
        return found

    async def send(self, captures: list[Capture]) -> None:
        """Deal captures out among the workers, and wait until each has ended in some way."""
        number = len(captures) + sum(self.total().values())
        hands = [captures[place :: len(self.workers)] for place in range(len(self.workers))]
        await asyncio.gather(
            *(
                worker.send(*(capture.encode() for capture in hand))
                for worker, hand in zip(self.workers, hands, strict=True)
            )
        )

        async def all_ended() -> bool:
            return sum(self.total().values()) >= number

        await eventually_async(all_ended, what=f"{number} ends")

    def configure(self, **writes: int) -> None:
        """Tell every worker which routes mirror writes, since which version."""
        for worker in self.workers:
            worker.configure(1, self.modern.port, writes=writes)


@asynccontextmanager
async def scene(
    directory: Path, reply: Callable[[str], bytes | None], workers: int = 1, **settings: float
) -> AsyncIterator[Scene]:
    """Run workers in front of a modern application that replies so."""
    async with AsyncExitStack() as stack:
        modern = await stack.enter_async_context(listening(Side(reply)))
        found = Scene(modern)
        for number in range(workers):
            quick = quick_settings(**settings)
            running = running_worker(directory, quick, f"shadow-{number}")
            found.workers.append(await stack.enter_async_context(running))
        found.configure(create=0, cancel=0)
        yield found


async def test_an_acknowledged_write_is_compared(tmp_path: Path) -> None:
    """Marked, with its body and its length, on its own connection, as plain as can be."""
    async with scene(tmp_path, acknowledging) as it:
        headers = (("host", "shop.example"), ("accept-encoding", "gzip"))
        await it.send([a_write(request_headers=headers), a_write(body=b'{"id":2}')])
        assert it.total() == {("match", ""): 1, ("mismatch", ""): 1}
        assert "content-length: 6\r\n" in it.writes[0]
        assert "accept-encoding" not in it.writes[0]
        assert it.workers[0].halts == []


@pytest.mark.parametrize("workers", [1, 3])
async def test_an_unaware_application_gets_one_write_and_never_a_second(
    tmp_path: Path, workers: int
) -> None:
    """Whatever the number of workers, and although a hundred writes come at once."""
    async with scene(tmp_path, unaware, workers) as it:
        await it.send([a_write() for _ in range(100)])
        assert len(it.writes) == 1
        ended = it.total()
        assert ended.pop(("not_compared", "not_acknowledged")) == 1
        assert set(ended) <= {("not_compared", "writes_halted")}
        told = {(halt.route, halt.epoch) for worker in it.workers for halt in worker.halts}
        assert told == {("create", 0)}
        assert "has no cutover-shadow-ack" in it.workers[0].worker.halts[0].why
        await it.send([a_write() for _ in range(9)])
        assert len(it.writes) == 1


async def test_an_application_that_loses_its_middleware_gets_one(tmp_path: Path) -> None:
    """A deployment in the middle: what was acknowledged before is no promise."""
    async with scene(tmp_path, acknowledging, 2) as it:
        await it.send([a_write() for _ in range(10)])
        it.modern.reply = unaware
        await it.send([a_write() for _ in range(50)])
        assert len(it.writes) == 11


async def test_routes_halt_one_by_one_and_are_resumed_by_a_new_epoch(tmp_path: Path) -> None:
    """And the first after that must be acknowledged again."""

    def cancel_only(head: str) -> bytes:
        return acknowledging(head) if head.startswith("POST /cancel") else unaware(head)

    async with scene(tmp_path, cancel_only, 2) as it:
        await it.send([a_write(route) for route in ("create", "cancel") * 5])
        assert len([head for head in it.writes if "/create" in head]) == 1
        assert len([head for head in it.writes if "/cancel" in head]) == 5
        it.configure(cancel=0)
        assert [worker.worker.halts for worker in it.workers] == [[], []]
        await it.send([a_write()])
        it.configure(create=8, cancel=0)
        await it.send([a_write() for _ in range(6)])
        assert len([head for head in it.writes if "/create" in head]) == 2
        it.configure(create=9, cancel=0)
        it.modern.reply = acknowledging
        await it.send([a_write() for _ in range(6)])
        assert it.total()["match", ""] == 5 + 6


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (lambda head: unaware(head).replace(b"201", b"403"), r"\(403\) has no"),
        (lambda head: acknowledging(head).replace(b"sig=", b"sig=0"), "is wrong"),
        (lambda head: acknowledging(head).replace(b'"id":1', b'"id":2'), "is wrong"),
        (lambda _: b"HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n{", "not answered in time"),
        (lambda _: None, "not answered in time"),
        (lambda _: b"nonsense", "never came"),
    ],
)
async def test_whatever_is_wrong_with_the_answer_halts(
    tmp_path: Path, reply: Callable[[str], bytes | None], why: str
) -> None:
    """A write that may have been carried out for real is the last one."""
    async with scene(tmp_path, reply, deadline=0.2) as it:
        await it.send([a_write() for _ in range(3)])
        assert len(it.writes) == 1
        assert re.search(why, it.workers[0].halts[0].why)
        assert it.total()["not_compared", "not_acknowledged"] == 1


async def test_an_application_that_cannot_be_reached_was_sent_nothing(tmp_path: Path) -> None:
    """So nothing halts, and when it is there again, writes are mirrored again."""
    async with scene(tmp_path, acknowledging) as it:
        port = it.modern.port
        it.modern.port = 1
        it.configure(create=0)
        await it.send([a_write() for _ in range(3)])
        assert it.total() == {("not_compared", "candidate_unreachable"): 3}
        it.modern.port = port
        it.configure(create=0)
        await it.send([a_write()])
        assert it.total()["match", ""] == 1


async def test_a_write_that_is_delivered_twice_is_sent_once(tmp_path: Path) -> None:
    """To two workers, and again later."""
    async with scene(tmp_path, acknowledging, 2) as it:
        write = a_write()
        await it.send([write, write])
        await it.send([write])
        assert len(it.writes) == 1
        assert it.total() == {("match", ""): 1, ("not_compared", "repeated"): 2}


async def test_no_mismatch_of_a_write_is_looked_at_again(tmp_path: Path) -> None:
    """There is no race guard: it would send the write once more."""
    async with scene(tmp_path, acknowledging) as it:
        await it.send([a_write(body=b"{}")])
        assert (len(it.modern.heads), it.total()) == (1, {("mismatch", ""): 1})


async def test_ids_of_a_dry_run_teach_nothing(tmp_path: Path) -> None:
    """They may differ where it is said, but the row that had them is gone."""
    rules = CompareRules.build(correspond=[{"path": "$.id", "name": "order"}])
    async with scene(tmp_path, acknowledging) as it:
        for running in it.workers:
            both = {"create": rules, "plans": rules}
            running.configure(1, it.modern.port, routes=both, writes={"create": 0})
        await it.send([a_write(body=b'{"id":981}')])
        assert it.total() == {("match", ""): 1}
        it.modern.reply = lambda _: http_answer(b'{"id":981}')
        await it.send([a_capture(body=b'{"id":981}')])
        assert it.total() == {("match", ""): 2}


async def test_a_write_goes_out_with_modern_s_ids_and_is_signed_so(tmp_path: Path) -> None:
    """In its path and body; one with an id that nobody knows is not sent, and halts nothing."""
    teaching = CompareRules.build(correspond=[{"path": "$.id", "name": "order"}])
    in_path = {"at": "path.id", "name": "order", "segment": 1}
    rules = CompareRules.build(translate=[in_path, {"at": "$.of", "name": "order"}])
    write = {"target": "/orders/981/refund", "request_headers": (("host", "h"), *JSON)}
    async with scene(tmp_path, lambda _: http_answer(b'{"id":"7f3a"}')) as it:
        for running in it.workers:
            routes = {"create": rules, "plans": teaching}
            running.configure(1, it.modern.port, routes=routes, writes={"create": 0})
        await it.send([a_write(**write)])
        await it.send([a_capture(body=b'{"id":981}')])
        assert it.total() == {("not_compared", "unknown_id"): 1, ("match", ""): 1}
        it.modern.reply = acknowledging
        await it.send([a_write(**write, request_body=b'{"of": 981}')])
        assert it.total() == {("not_compared", "unknown_id"): 1, ("match", ""): 2}
        assert [head.split(" ")[1] for head in it.writes] == ["/orders/7f3a/refund"]
        assert "content-length: 14" in it.writes[0]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"route": "plans"}, "unsafe_method"),
        ({"primary": "modern"}, "unsafe_method"),
        ({"method": "OPTIONS"}, "unsafe_method"),
        ({"at": 1.0}, "stale"),
    ],
)
async def test_no_other_write_is_sent(
    tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    """Of a route that mirrors none, one that modern served, and one that is too old."""
    async with scene(tmp_path, acknowledging) as it:
        await it.send([a_write(**changes)])
        assert it.total() == {("not_compared", reason): 1}
        assert it.modern.heads == []


async def test_a_worker_that_died_with_a_write_under_way_is_the_end(tmp_path: Path) -> None:
    """Its permit is never given back; who finds that out halts the route."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'cutover.db'}", metadata)
    long_ago = a_capture().at - 100
    await Permits(database, 60.0).take("create", 0, "w-of-a-dead-worker", long_ago)
    await database.close()
    async with scene(tmp_path, acknowledging) as it:
        await it.send([a_write(), a_write()])
        assert it.modern.heads == []
        assert it.total() == {("not_compared", "writes_halted"): 2}
        assert it.workers[0].halts[0].why.startswith("write w-of-a-dead-worker was sent")


async def test_without_a_store_nothing_is_sent(tmp_path: Path) -> None:
    """A permit that cannot be taken is not taken."""
    (tmp_path / "cutover.db").mkdir()
    async with scene(tmp_path, acknowledging) as it:
        await it.send([a_write()])
        assert it.total() == {("not_compared", "store_error"): 1}
        assert it.modern.heads == []


async def test_a_worker_that_is_stopped_waits_for_the_answer(tmp_path: Path) -> None:
    """An orderly end leaves no permit behind, so the next one goes on."""
    asked = asyncio.Event()

    def slow(head: str) -> bytes | None:
        asked.set()
        return None if len(it.writes) == 1 else acknowledging(head)

    async with scene(tmp_path, slow, deadline=2.0) as it:
        await it.workers[0].send(a_write().encode())
        await asked.wait()
        writer = it.modern.writers[-1]
        asyncio.get_running_loop().call_later(0.05, writer.write, acknowledging(it.writes[0]))
    async with scene(tmp_path, acknowledging) as it:
        await it.send([a_write()])
        assert it.total() == {("match", ""): 1}
