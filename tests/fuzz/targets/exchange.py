"""The whole data plane, both roles hostile: what each side may have seen when all is over."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any

from proxy.wire.errors import RequestError
from proxy.wire.message import RequestHead
from proxy.wire.parser import END, RequestParser
from tests.fuzz.play import Callee, Caller, Play, checksum
from tests.fuzz.targets.requests import check_fields
from tests.fuzz.witnesses import (
    TUNNEL,
    Answer,
    Seen,
    answers_by_h11,
    requests_by_h11,
    requests_by_llhttp,
)

_TOKEN = re.compile(rb"T0K[0-9a-f]{8}")
_SENT_ONCE = (b"POST", b"PATCH")
_REFUSALS = (400, 405, 408, 413, 414, 417, 431, 501, 503, 505)


def one(data: bytes) -> None:
    """Play a script, then look at every byte that the proxy wrote."""
    play, failures = Play(), list[dict[str, Any]]()
    loop = _loop()
    loop.set_exception_handler(lambda _, context: failures.append(context))
    loop.run_until_complete(play.run(data))
    assert not failures, failures
    judge(play)


def judge(play: Play) -> None:
    """Look at what each side has seen."""
    asked: list[Asked] = []
    tunnels: list[Tunnel] = []
    for caller in play.callers:
        heads = understood(bytes(caller.delivered))
        tunnel = check_client(caller, heads)
        if tunnel is not None:
            tunnels.append(tunnel)
            del heads[heads.index(tunnel.head) + 1 :]
        asked += heads
    check_upstreams(play, asked, tunnels)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """One event loop for the whole run: making one costs more than a script."""
    return asyncio.new_event_loop()


@dataclass(eq=False)
class Asked(Seen):
    """A request as we understand it; `end` is where it ends in what its client has sent."""

    websocket: bool = False
    end: int = 0


@dataclass
class Tunnel:
    """A connection that was turned over: what went up behind the head, and came down behind 101."""

    head: Asked
    up: bytes
    down: bytes


def understood(raw: bytes) -> list[Asked]:
    """Give the requests in what a client sent, up to what is refused."""
    parser = RequestParser()
    parser.receive(raw)
    seen: list[Asked] = []
    try:
        while (event := parser.next()) is not None:
            if isinstance(event, RequestHead):
                seen.append(Asked(event.method.encode(), event.target, websocket=event.websocket))
            elif event is END:
                seen[-1].complete = True
                seen[-1].end = len(raw) - parser.waiting
                parser.restart()
            else:
                seen[-1].body += bytes(event)
    except RequestError:
        pass
    return seen


def check_upstreams(play: Play, asked: list[Asked], tunnels: list[Tunnel]) -> None:
    """Say that upstreams saw requests of clients, as they were, and nothing else."""
    whole = {(seen.method, seen.target, seen.body) for seen in asked if seen.complete}
    sightings: Counter[bytes] = Counter()
    for callee in play.callees.values():
        raw = _without_tunnel(callee, tunnels)
        seen = requests_by_llhttp(raw)
        assert requests_by_h11(raw) == seen, "two parsers see different requests"
        for each in seen:
            check_fields(each, trusted=False)
            if each.complete:
                assert (each.method, each.target, each.body) in whole, "nobody asked for this"
            else:
                assert any(_is_beginning(each, one) for one in asked), "nobody asked for this"
        assert all(each.complete for each in seen[:-1]), "a request is within another"
        tokens = (_TOKEN.search(each.target) for each in seen if each.method in _SENT_ONCE)
        sightings.update(found[0] for found in tokens if found)
    assert all(times == 1 for times in sightings.values()), "a POST was sent twice"
    for tunnel in tunnels:
        assert any(tunnel.down in one.said for one in play.callees.values()), "nobody said this"


def _without_tunnel(callee: Callee, tunnels: list[Tunnel]) -> bytes:
    """Give what an upstream received up to the head that made its connection a tunnel, if one did.

    What follows must be the beginning of what that client sent behind its own head.
    """
    raw = bytes(callee.transport.sent)
    for tunnel in tunnels:
        line = b"%b %b HTTP/1.1\r\n" % (tunnel.head.method, tunnel.head.target)
        at = raw.rfind(line)
        # A target without a token may be anybody's, but only one who said 101 has a tunnel.
        if at >= 0 and (_TOKEN.search(line) or b"HTTP/1.1 101" in callee.said):
            end = raw.index(b"\r\n\r\n", at) + 4
            assert tunnel.up.startswith(raw[end:]), "a tunnel carries what nobody sent"
            return raw[:end]
    return raw


def _is_beginning(seen: Seen, asked: Asked) -> bool:
    same = (seen.method, seen.target) == (asked.method, asked.target)
    return same and asked.body.startswith(seen.body)


def check_client(caller: Caller, heads: list[Asked]) -> Tunnel | None:
    """Say that a client read answers in order, each its own, and no end that was invented.

    Gives the tunnel that its connection has become, if it has.
    """
    transport = caller.transport
    ended = transport.eof_written or not (transport.aborted or caller.left)
    # At most one answer is to no request: the refusal of what was none, behind all others.
    methods = [TUNNEL if head.websocket else head.method for head in heads] + [b"GET"]
    answers, beyond = answers_by_h11(bytes(transport.sent), methods, closed=ended)
    for head, answer in zip(heads, answers, strict=False):
        _check_answer(head, answer)
    if answers and answers[-1].status == 101:
        head = heads[len(answers) - 1]
        return Tunnel(head, bytes(caller.delivered[head.end :]), beyond)
    assert beyond == b"", "more answers than requests"
    # Where not even a head has come there is no answer that could pass for whole.
    begun = [answer for answer in answers if answer.status]
    assert not ended or all(answer.complete for answer in begun), "an end was invented"
    if len(answers) > len(heads):
        assert answers[-1].status in _REFUSALS, answers[-1].status
    return None


def _check_answer(head: Seen, answer: Answer) -> None:
    echo, token = answer.value(b"x-echo"), _TOKEN.search(head.target)
    if echo is not None and (named := _TOKEN.fullmatch(echo)):
        assert token is not None, "an answer to somebody else"
        assert named[0] == token[0], "an answer to somebody else"
    proof = answer.value(b"x-sum")
    if proof is not None and echo is not None and answer.complete and head.method != b"HEAD":
        assert proof == checksum(echo, answer.body), "a body is not what was sent"
