import json
from collections.abc import Sequence

import pytest
from starlette.types import Message, Receive, Scope, Send

from modern.infra.faults import DeliberateError, Fault, Faults, Mode, falsify


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer in two pieces with what a plan looks like."""
    del scope, receive
    headers = [(b"content-type", b"application/json"), (b"content-length", b"29")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"name":"Team",', "more_body": True})
    await send({"type": "http.response.body", "body": b'"price":29.00}'})


class Conversation:
    """A client of the middleware, with chance and sleep as it says."""

    def __init__(self, chances: Sequence[float] = ()) -> None:
        self.slept: list[float] = []
        self._chances = list(chances)
        self.faults = Faults(application, self._chance, self._sleep)

    async def ask(
        self, method: str, path: str, body: bytes = b""
    ) -> tuple[int, dict[str, str], str]:
        """Send a request and return status, headers and body."""
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "headers": []}
        await self.faults(scope, receive, send)
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        pieces = [message.get("body", b"") for message in sent[1:]]
        return sent[0]["status"], headers, b"".join(pieces).decode()

    async def set(self, **fault: object) -> None:
        """Ask for a fault."""
        status, _, _ = await self.ask("PUT", "/_faults", json.dumps(fault).encode())
        assert status == 200

    def _chance(self) -> float:
        return self._chances.pop(0) if self._chances else 0.0

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_without_a_fault_nothing_happens() -> None:
    """The switch is there, and off."""
    assert (await Conversation().ask("GET", "/api/plans"))[2] == '{"name":"Team","price":29.00}'


async def test_a_failing_path_raises() -> None:
    """The error is met by whatever meets real ones, and answered like them."""
    client = Conversation()
    await client.set(path="/api/plans", mode="error")
    with pytest.raises(DeliberateError, match="/api/plans"):
        await client.ask("GET", "/api/plans")


async def test_other_paths_work_on() -> None:
    """A fault is for its path, not for those that begin like it."""
    client = Conversation()
    await client.set(path="/api/plans", mode="error")
    assert (await client.ask("GET", "/api/plans/1"))[0] == 200


async def test_a_star_stands_for_the_rest() -> None:
    """One fault can hit all plans."""
    client = Conversation()
    await client.set(path="/api/plans*", mode="error")
    with pytest.raises(DeliberateError):
        await client.ask("GET", "/api/plans/1")


async def test_a_slow_path_waits_and_answers() -> None:
    """Slow is not broken."""
    client = Conversation()
    await client.set(path="/api/plans", mode="slow", delay_ms=1200)
    assert (await client.ask("GET", "/api/plans"))[0] == 200
    assert client.slept == [1.2]


async def test_a_wrong_path_answers_well_formed_lies() -> None:
    """The length fits, the status is 200, the price is not the price."""
    client = Conversation()
    await client.set(path="/api/plans", mode="wrong")
    status, headers, body = await client.ask("GET", "/api/plans")
    assert (status, json.loads(body)) == (200, {"name": "TEAM", "price": 30.0})
    assert headers["content-length"] == str(len(body))


async def test_the_rate_is_the_share_of_requests() -> None:
    """Chance below the rate meets the fault, chance at or above it does not."""
    client = Conversation(chances=[0.24, 0.25, 0.99])
    await client.set(path="/api/plans", mode="slow", delay_ms=1000, rate=0.25)
    for _ in range(3):
        await client.ask("GET", "/api/plans")
    assert client.slept == [1.0]


async def test_a_fault_is_replaced_by_the_next_for_its_path() -> None:
    """The answer lists what is in force."""
    client = Conversation()
    await client.set(path="/api/plans", mode="error")
    fault = {"path": "/api/plans", "mode": "slow", "rate": 0.5, "delay_ms": 10}
    _, _, body = await client.ask("PUT", "/_faults", json.dumps(fault).encode())
    assert json.loads(body) == {"faults": [fault]}


async def test_deleting_mends_everything() -> None:
    """After a DELETE nothing fails."""
    client = Conversation()
    await client.set(path="/api/plans", mode="error")
    assert (await client.ask("DELETE", "/_faults"))[2] == '{"faults":[]}'
    assert (await client.ask("GET", "/api/plans"))[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"path":"/a"}',
        b'{"path":"a","mode":"error"}',
        b'{"path":"/a","mode":"explode"}',
        b'{"path":"/a","mode":"error","rate":1.5}',
        b'{"path":"/a","mode":"slow","delay_ms":-1}',
    ],
)
async def test_a_fault_that_makes_no_sense_is_refused(body: bytes) -> None:
    """The switch says what is wrong with the request and keeps what it had."""
    assert (await Conversation().ask("PUT", "/_faults", body))[0] == 422


async def test_the_switch_has_two_methods() -> None:
    """It can be set and cleared."""
    status, headers, _ = await Conversation().ask("GET", "/_faults")
    assert (status, headers["allow"]) == (405, "PUT, DELETE")


@pytest.mark.parametrize("body", [b"", b"# HELP", b"<html>"])
def test_what_is_no_json_is_not_falsified(body: bytes) -> None:
    """There is nothing in it to change."""
    assert falsify(body) == body


def test_ids_and_flags_stay_true() -> None:
    """A lie that could be told by its shape would be too easy to find."""
    body = b'{"data":[{"id":1,"name":"x","price":9.9,"is_active":true,"trial_days":14}]}'
    told = json.loads(falsify(body))["data"][0]
    assert told == {"id": 1, "name": "X", "price": 10.9, "is_active": True, "trial_days": 14}


def test_a_fault_of_rate_zero_never_strikes() -> None:
    """Chance is never below nothing."""
    assert not Fault(path="/a", mode=Mode.ERROR, rate=0.0).strikes("/a", 0.0)
