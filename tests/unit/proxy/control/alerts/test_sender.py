from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from proxy.clock import FakeClock
from proxy.control.alerts.message import Alert, Severity, trial
from proxy.control.alerts.post import Outcome
from proxy.control.alerts.sender import ATTEMPTS_MAX, PAUSE_MAX, QUEUE_MAX, Alerts
from proxy.control.alerts.targets import Alerting, Shape, Target
from proxy.control.chain import Link
from proxy.control.status import DecisionRecord
from tests.unit.proxy.control.alerts.test_message import decision

OPS = Target("ops", Shape.JSON, "https://ops/", secret="s" * 24, least=Severity.INFO)
PAGER = Target("pager", Shape.PAGERDUTY, "https://pager/", routing_key="k", least=Severity.CRITICAL)

GOOD = Outcome(True, False, "answered 200")
BUSY = Outcome(False, True, "answered 503")
WRONG = Outcome(False, False, "answered 404")


@dataclass
class Receiver:
    """Answers by a script, the last answer for ever."""

    script: list[Outcome] = field(default_factory=lambda: [GOOD])
    got: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Take one attempt."""
        self.got.append((url, body, headers))
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    async def sleep(self, seconds: float) -> None:
        """Let no time pass."""
        self.pauses.append(seconds)


async def played(receiver: Receiver, *told: Alert | DecisionRecord, **others: Any) -> Alerts:
    """Tell all of this, and deliver until nothing waits."""
    targets = others.pop("targets", (OPS,))
    alerting = Alerting(targets)
    alerts = Alerts(alerting, FakeClock(), "p", receiver.send, receiver.sleep, **others)
    for each in told:
        alerts.tell(each) if isinstance(each, Alert) else alerts.decided(each)
    waiting = sum(map(len, alerts._queues.values())) + alerts.outcomes.total()
    running = asyncio.create_task(alerts.run())
    await until(lambda: alerts.outcomes.total() == waiting)
    await alerts.close(running)
    return alerts


async def until(condition: Callable[[], bool]) -> None:
    """Let others go on until it holds."""
    for _ in range(1_000_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("the condition never came true")


async def test_alerts_arrive_in_order_and_signed() -> None:
    """Each has a number of its own."""
    receiver = Receiver()
    first = trial(1.0, "ada")
    alerts = await played(receiver, first, replace(first, title="second"))
    assert [b"second" in body for _, body, _ in receiver.got] == [False, True]
    assert [headers["Cutover-Delivery"] for _, _, headers in receiver.got] == ["p-1", "p-2"]
    assert all(headers["Cutover-Signature"] for _, _, headers in receiver.got)
    assert alerts.outcomes == {("ops", "delivered"): 2}


async def test_a_receiver_that_is_busy_is_asked_again_with_growing_pauses() -> None:
    """The same alert under the same number, as long as it asks for at least."""
    receiver = Receiver([BUSY, BUSY, replace(BUSY, wait=60.0), GOOD])
    alerts = await played(receiver, trial(1.0, "ada"))
    assert receiver.pauses == [1.0, 2.0, 60.0]
    assert {headers["Cutover-Delivery"] for _, _, headers in receiver.got} == {"p-1"}
    assert alerts.outcomes == {("ops", "delivered"): 1}


async def test_a_receiver_that_never_recovers_is_given_up_in_the_end() -> None:
    """With pauses that are bounded, whatever it asks for."""
    receiver = Receiver([replace(BUSY, wait=1e6)])
    alerts = await played(receiver, trial(1.0, "ada"))
    assert receiver.pauses == [PAUSE_MAX] * ATTEMPTS_MAX
    assert alerts.outcomes == {("ops", "gave_up"): 1}


async def test_a_refusal_is_final() -> None:
    """A wrong address does not become right; the next alert is tried all the same."""
    receiver = Receiver([WRONG, GOOD])
    alerts = await played(receiver, trial(1.0, "ada"), trial(2.0, "ada"))
    assert len(receiver.got) == 2
    assert alerts.outcomes == {("ops", "gave_up"): 1, ("ops", "delivered"): 1}


async def test_only_what_is_severe_enough_is_told_and_what_ends_it() -> None:
    """A pager hears of rollbacks and of their end, not of steps."""
    receiver = Receiver()
    await played(
        receiver, decision("advance"), decision(), decision("resume", "ada"), targets=(PAGER,)
    )
    assert [b"trigger" in body for _, body, _ in receiver.got] == [True, False]


async def test_a_queue_is_bounded_and_telling_never_waits() -> None:
    """The oldest give way, and are counted."""
    receiver = Receiver()
    told = [replace(trial(1.0, "ada"), title=f"n{number}") for number in range(QUEUE_MAX + 5)]
    alerts = await played(receiver, *told)
    assert alerts.outcomes == {("ops", "dropped"): 5, ("ops", "delivered"): QUEUE_MAX}
    assert alerts.by_outcome() == {"dropped": 5, "delivered": QUEUE_MAX}
    assert b"n5" in receiver.got[0][1]


async def test_a_failure_of_our_own_takes_one_alert_and_not_the_rest() -> None:
    """Whatever it is."""

    class Broken(Receiver):
        def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
            """Fail as no receiver can."""
            super().send(url, body, headers)
            if len(self.got) == 1:
                raise RuntimeError("a bug")
            return GOOD

    alerts = await played(Broken(), trial(1.0, "ada"), trial(2.0, "ada"))
    assert alerts.outcomes == {("ops", "gave_up"): 1, ("ops", "delivered"): 1}


async def test_a_slow_receiver_holds_up_nobody_else() -> None:
    """Each has a queue of its own; at the end what cannot be delivered is let go."""
    stuck = asyncio.Event()

    async def sleep(_: float) -> None:
        await stuck.wait()

    receiver = Receiver()

    def send(url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        receiver.send(url, body, headers)
        return BUSY if "slow" in url else GOOD

    slow = replace(OPS, name="slow", url="https://slow/")
    alerts = Alerts(Alerting((slow, OPS)), FakeClock(), "p", send, sleep)
    running = asyncio.create_task(alerts.run())
    for number in range(3):
        alerts.tell(trial(float(number), "ada"))
    await until(lambda: alerts.outcomes["ops", "delivered"] == 3)
    stuck.set()
    await alerts.close(running)
    assert alerts.outcomes["ops", "delivered"] == 3
    assert running.done()


async def test_a_decision_that_no_alert_can_be_made_of_is_passed_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Alerts are never a reason for the controller to stumble."""
    receiver = Receiver()
    broken = replace(decision(), evidence=None)  # type: ignore[arg-type]
    await played(receiver, broken, decision("ignore"), decision())
    assert len(receiver.got) == 1
    assert "no alert could be made" in caplog.text


async def test_a_decision_is_told_with_its_entry_of_the_journal() -> None:
    """As `audit verify --expect` takes it; what is not written yet, or no decision, has none."""
    receiver = Receiver()

    async def proof(number: int) -> Link | None:
        return Link(12, "c" * 64) if number == 3 else None

    told = (replace(decision(), id=3), replace(decision(), id=4), trial(1.0, "ada"))
    chat = Target("chat", Shape.SLACK, "https://chat/", least=Severity.INFO)
    await played(receiver, *told, proof=proof, targets=(OPS, chat))
    plain = [json.loads(body) for url, body, _ in receiver.got if url == OPS.url]
    assert [each["details"].get("journal") for each in plain] == [f"12:{'c' * 64}", None, None]
    texts = [body.decode() for url, body, _ in receiver.got if url == chat.url]
    assert [f"12:{'c' * 64}" in text for text in texts] == [True, False, False]
