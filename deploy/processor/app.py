"""The requests over HTTP: each is written to the journal, then carried out, then answered."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import asdict
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.processor.ledger import Asked, Ledger

JOURNAL = "journal.jsonl"
HELD_SECONDS = 60.0
"""How long an answer is withheld: longer than any client has patience."""

_KEY = re.compile(r"Bearer sk_test_(?P<caller>[a-z]+)_\S+")


def create_app(folder: Path, held_seconds: float = HELD_SECONDS) -> Starlette:
    """Return the processor, knowing what the journal in the folder says."""
    journal = folder / JOURNAL
    _drop_what_was_cut_off(journal)
    ledger = Ledger()
    for asked in read_journal(journal):
        ledger.ask(asked)

    async def take(request: Request) -> Response:
        found = _KEY.fullmatch(request.headers.get("authorization", ""))
        if found is None:
            return _refused(401, "no key, or none of the form sk_test_NAME_SECRET")
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        key = request.headers.get("idempotency-key", "")
        asked = Asked(found["caller"], key, request.url.path, form)
        _write_down(journal, asked)
        reply = ledger.ask(asked)
        if reply.withheld:
            await asyncio.sleep(held_seconds)
        return JSONResponse(reply.body, reply.status)

    async def show(request: Request) -> Response:
        charge = ledger.charge(request.path_params["id"])
        return _refused(404, "no such charge") if charge is None else JSONResponse(charge.shown())

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "healthy"})

    return Starlette(
        routes=[
            Route("/v1/charges", take, methods=["POST"]),
            Route("/v1/refunds", take, methods=["POST"]),
            Route("/v1/charges/{id}", show),
            Route("/health", health),
        ]
    )


def read_journal(path: Path) -> list[Asked]:
    """Return what was asked so far, by whoever has asked it."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [Asked(**json.loads(line)) for line in lines if line.endswith("\n")]


def _drop_what_was_cut_off(path: Path) -> None:
    """Remove the end of a line that a crash has cut off: it was never carried out."""
    written = path.read_bytes() if path.exists() else b""
    if not written.endswith(b"\n") and written:
        path.write_bytes(written[: written.rfind(b"\n") + 1])


def _write_down(path: Path, asked: Asked) -> None:
    with path.open("a") as file:
        file.write(json.dumps(asdict(asked)) + "\n")


def _refused(status: int, text: str) -> Response:
    error = {"type": "invalid_request_error", "code": None, "message": text}
    return JSONResponse({"error": error}, status)
