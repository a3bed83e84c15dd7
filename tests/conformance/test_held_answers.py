"""Small answers of modern wait until they are complete, so that legacy can still answer instead."""

from __future__ import annotations

import pytest

from proxy.serving.exchange import HELD_MAX
from tests.support_plane import Rig, says

pytestmark = pytest.mark.asyncio(loop_scope="session")

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
ASK = b"%b /m/x HTTP/1.1\r\nHost: h\r\n\r\n"


@pytest.mark.parametrize("death", ["close", "reset"])
@pytest.mark.parametrize("method", [b"GET", b"PUT", b"DELETE"])
async def test_answer_cut_off_is_made_good_by_legacy(rig: Rig, method: bytes, death: str) -> None:
    """An idempotent request gets one whole answer, of legacy, and no trace of the half."""
    rig.modern.answers(says(HEAD % 10 + b"ha", then=death))
    answer, client = await rig.ask(ASK % method, method=method.decode())
    assert (answer.status, answer.get("cutover-side"), answer.body) == (200, "legacy", b"x")
    assert len(rig.modern.requests) == len(rig.legacy.requests) == 1
    await client.is_clean()


async def test_answer_broken_late_is_made_good_by_legacy(rig: Rig) -> None:
    """A head that arrived long before the connection was lost has not reached the client."""
    rig.modern.answers(says(HEAD % 4, b"ha", then="close"))
    answer, client = await rig.ask(ASK % b"GET")
    assert (answer.status, answer.get("cutover-side"), answer.body) == (200, "legacy", b"x")
    await client.is_clean()


async def test_complete_answer_goes_out_whole(rig: Rig) -> None:
    """An answer that comes in pieces is relayed unchanged once its last piece is there."""
    rig.modern.answers(says(HEAD % 4, b"ha", b"ha"))
    answer, client = await rig.ask(ASK % b"GET")
    assert (answer.status, answer.get("cutover-side"), answer.body) == (200, "modern", b"haha")
    await client.is_clean()


async def test_write_cut_off_is_not_repeated(rig: Rig) -> None:
    """A POST whose answer breaks off is not sent to legacy, and no end is invented for it."""
    rig.modern.answers(says(HEAD % 10 + b"ha", then="close"))
    client = await rig.client()
    await client.send([b"POST /m/x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1"])
    assert await client.end() == "reset"
    assert len(rig.modern.requests) == 1
    assert not rig.legacy.requests


async def test_large_answer_streams(rig: Rig) -> None:
    """Above the limit nothing waits: the client has the head while the body is still to come."""
    rig.modern.answers(says(HEAD % (HELD_MAX + 1) + b"ha", then="close"))
    client = await rig.client()
    await client.send([ASK % b"GET"])
    assert await client.end() == "reset"
    assert not rig.legacy.requests
