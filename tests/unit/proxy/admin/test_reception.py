from __future__ import annotations

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Message, Scope

from proxy.admin.reception import Reception


def named(name: str) -> Starlette:
    """Give an application that answers with its name."""
    return Starlette(routes=[Route("/", lambda _: PlainTextResponse(name))])


async def answer(reception: Reception) -> bytes:
    """Ask, and give the body of the answer."""
    sent: list[Message] = []
    scope: Scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [],
        "query_string": b"",
    }

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    await reception(scope, receive, send)
    return b"".join(message.get("body", b"") for message in sent)


async def test_it_answers_as_what_the_host_is() -> None:
    """The acting controller answers while there is one, and while it may be believed in."""
    acts = True
    reception = Reception(named("standby"), lambda: acts)
    assert await answer(reception) == b"standby"
    async with reception.open_for(named("acting")):
        assert await answer(reception) == b"acting"
        acts = False
        assert await answer(reception) == b"standby"
        acts = True
    assert await answer(reception) == b"standby"
