"""The example of docs/mirrored-writes.md, run as it stands there: hundreds leave nothing."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis as Client
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from deploy.stack.postgres import Postgres
from deploy.stack.redis import Redis
from tests.support_docs import blocks, read
from tests.support_shadow import WRITE_KEY
from tests.support_writes import a_write, send_all, serving

EXAMPLE = blocks(read("mirrored-writes.md"), "python")[0]
REDIS_DATABASE = 9
ORDERS = 100
_NUMBERS = count()


class Processor:
    """A payment processor: it notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.app = Starlette(routes=[Route("/{what}", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> JSONResponse:
        self.asked.append((request.path_params["what"], await request.json()))
        return JSONResponse({"id": f"ch_{len(self.asked)}"})


@asynccontextmanager
async def mailbox(mails: list[str]) -> AsyncIterator[int]:
    """Take mails by SMTP; gives the port."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mailbox\r\n")
        while line := await reader.readline():
            word = line[:4].upper().strip()
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                mails.append((await reader.readuntil(b"\r\n.\r\n")).decode())
            writer.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                break
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


class Shop:
    """The example, running, with everything that it could leave something in."""

    def __init__(self, module: Any, port: int, processor: Processor, mails: list[str]) -> None:
        self.port = port
        self.engine = module.engine
        self.redis: Client = module.redis
        self.processor = processor
        self.mails = mails

    async def everything(self) -> dict[str, Any]:
        """Read all of it: rows, sequence, keys, tasks, what was asked of the processor, mails."""
        async with self.engine.connect() as connection:
            found: dict[str, Any] = {
                query: [tuple(row) for row in await connection.execute(text(query))]
                for query in (
                    "SELECT * FROM orders ORDER BY id",
                    "SELECT * FROM counters",
                    "SELECT last_value, is_called FROM orders_id_seq",
                )
            }
        keys = sorted(await self.redis.keys("*"))
        found["redis"] = {key: await self.redis.dump(key) for key in keys}
        return found | {"asked": list(self.processor.asked), "mails": list(self.mails)}


@pytest.fixture
async def shop(
    postgres_server: Postgres, redis_server: Redis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[Shop]:
    """Give the example over a real PostgreSQL and Redis, with a hundred orders."""
    processor, mails = Processor(), list[str]()
    async with serving(processor.app) as processor_port, mailbox(mails) as smtp_port:
        url = postgres_server.create_database(f"shop_{next(_NUMBERS)}").sqlalchemy_url
        for name, value in {
            "DATABASE_URL": url,
            "REDIS_URL": redis_server.url(REDIS_DATABASE),
            "PROCESSOR_URL": f"http://127.0.0.1:{processor_port}",
            "SMTP_PORT": str(smtp_port),
            "CUTOVER_SHADOW_KEY": WRITE_KEY.decode(),
        }.items():
            monkeypatch.setenv(name, value)
        (tmp_path / "shop.py").write_text(EXAMPLE)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "shop", raising=False)
        module: Any = importlib.import_module("shop")
        async with module.engine.begin() as connection:
            await connection.run_sync(module.Base.metadata.create_all)
            await connection.execute(text("INSERT INTO counters VALUES ('invoice', 0)"))
            orders = [{"n": n} for n in range(1, ORDERS + 1)]
            row = (
                "INSERT INTO orders (amount, status, charge, invoice) VALUES (:n, 'paid', 'c', :n)"
            )
            await connection.execute(text(row), orders)
        async with serving(module.app) as port:
            yield Shop(module, port, processor, mails)
        module.tasks.close()
        await module.redis.flushdb()
        await module.redis.aclose()
        await module.engine.dispose()


async def test_four_hundred_writes_leave_nothing_and_a_real_one_does(shop: Shop) -> None:
    """No row, no number, no charge, no refund, no mail, no task and no key; then all of them."""
    before = await shop.everything()
    creates = [a_write("POST", "/orders", b'{"amount": 990}') for _ in range(150)]
    refunds = [a_write("POST", f"/orders/{1 + n % ORDERS}/refund") for n in range(150)]
    cancels = [a_write("DELETE", f"/orders/{n + 1}") for n in range(ORDERS)]
    answers = await send_all(shop.port, [*creates, *refunds, *cancels])
    assert [answer.status for answer in answers] == [201] * 150 + [200] * 250
    made, refunded, gone = (json.loads(answers[n].body) for n in (0, 150, 300))
    assert (made["amount"], made["status"], made["invoice"]) == (990, "paid", 1)
    assert (refunded["status"], gone) == ("refunded", {"cancelled": True})
    assert await shop.everything() == before
    assert shop.engine.pool.checkedout() == 0

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{shop.port}") as client:
        real = (await client.post("/orders", json={"amount": 990})).json()
        assert real == {"id": ORDERS + 1, "amount": 990, "status": "paid", "invoice": 1}
        back = (await client.post(f"/orders/{real['id']}/refund")).json()
        assert back["status"] == "refunded"
    after = await shop.everything()
    assert [what for what, _ in after["asked"]] == ["charges", "refunds"]
    assert [mail.partition("Subject: ")[2].splitlines()[0] for mail in after["mails"]] == [
        "Invoice 1",
        "Refund of invoice 1",
    ]
    assert b"celery" in after["redis"]  # the task
    assert f"shop:order:{real['id']}".encode() in after["redis"]


async def test_a_client_cannot_have_its_own_request_run_dry(shop: Shop) -> None:
    """Who has no key is refused, and nothing runs, dry or for real."""
    before = await shop.everything()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{shop.port}") as client:
        for said in ("v1;id=a", f"v1;ts=1;id=a;sig={'0' * 64}", "1"):
            marked = {"Cutover-Shadow": said}
            answer = await client.post("/orders", json={"amount": 1}, headers=marked)
            assert answer.status_code in (400, 403)
    assert await shop.everything() == before
