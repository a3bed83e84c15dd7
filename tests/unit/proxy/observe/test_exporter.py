from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import replace

import orjson
import pytest

from proxy.observe.collector import Answer
from proxy.observe.exporter import ATTEMPTS_MAX, BATCH_MAX, PAUSE_MAX, WAITING_MAX, Exporter
from proxy.observe.span import Kind, Span
from tests.support import eventually_async

SPAN = Span("a" * 32, "b" * 16, "", "GET", Kind.SERVER, 1.0, 2.0, {"url.path": "/"})
LARGE = replace(SPAN, attributes={"url.path": "/" * 100_000})
TAKEN, BUSY = Answer(200), Answer(503, "answered 503")


async def _is(true: bool) -> bool:
    return true


class Collector:
    """Answers what it is told to; `bodies` is how many spans came in each request."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = [*answers]
        self.bodies: list[int] = []
        self.silent = False

    async def post(self, body: bytes) -> Answer:
        """Take a request; for ever, if it is silent."""
        [resource] = orjson.loads(body)["resourceSpans"]
        self.bodies.append(len(resource["scopeSpans"][0]["spans"]))
        if self.silent:
            await asyncio.Event().wait()
        return self.answers.pop(0) if self.answers else TAKEN


class Scene:
    """An exporter with a collector; `counts` by event and label, `pauses` what it slept."""

    def __init__(self, *answers: Answer) -> None:
        self.collector = Collector(*answers)
        self.counts: Counter[str] = Counter()
        self.pauses: list[float] = []
        self.exporter = Exporter(
            self.collector, {"service.name": "cutover"}, "0.1.0", 1.0, self._note, self._sleep
        )

    def offer(self, count: int, span: Span = SPAN) -> None:
        """Offer so many spans."""
        for _ in range(count):
            self.exporter.offer(span)

    def _note(self, event: str, label: str, count: int) -> None:
        self.counts[f"{event} {label}".strip()] += count

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)


async def test_what_waits_goes_in_one_request() -> None:
    """And nothing goes when nothing waits."""
    it = Scene()
    await it.exporter.flush()
    it.offer(3)
    await it.exporter.flush()
    assert it.collector.bodies == [3]
    assert it.counts == {"spans_sent": 3}


async def test_a_request_has_its_bound() -> None:
    """What is beyond goes with the next one, oldest first."""
    it = Scene()
    it.offer(15, LARGE)
    for _ in range(3):
        await it.exporter.flush()
    assert it.collector.bodies == [BATCH_MAX // 100_250, 15 - BATCH_MAX // 100_250]


async def test_a_full_buffer_drops_and_counts() -> None:
    """It never holds more than its bytes, however long nobody takes them."""
    it = Scene()
    it.offer(100, LARGE)
    held = WAITING_MAX // len(LARGE.encode())
    assert it.counts == {"spans_dropped full": 100 - held}
    await it.exporter.flush()
    it.offer(5, LARGE)
    assert it.counts["spans_dropped full"] == 100 - held


@pytest.mark.parametrize(
    "answer", [BUSY, Answer(429, "answered 429"), Answer(0, "Connection refused")]
)
async def test_who_is_busy_or_away_is_asked_again(answer: Answer) -> None:
    """With pauses that double, and the same spans."""
    it = Scene(answer, answer, TAKEN)
    it.offer(2)
    await it.exporter.flush()
    assert it.collector.bodies == [2, 2, 2]
    assert it.pauses == [1.0, 2.0]
    assert it.counts == {"spans_sent": 2}


@pytest.mark.parametrize(("asked", "given"), [(7.0, 7.0), (0.0, 1.0), (86_400.0, PAUSE_MAX)])
async def test_a_collector_says_how_long_to_wait(asked: float, given: float) -> None:
    """Its Retry-After is heeded, within a bound."""
    it = Scene(replace(BUSY, wait=asked), TAKEN)
    it.offer(1)
    await it.exporter.flush()
    assert it.pauses == [given]


async def test_spans_are_given_up_at_last() -> None:
    """After the last attempt they are counted, and the next ones have their turn."""
    it = Scene(*[BUSY] * ATTEMPTS_MAX)
    it.offer(2)
    await it.exporter.flush()
    it.offer(1)
    await it.exporter.flush()
    assert it.collector.bodies == [2] * ATTEMPTS_MAX + [1]
    assert it.counts == {"spans_dropped gave_up": 2, "spans_sent": 1}


@pytest.mark.parametrize("status", [400, 401, 404, 413, 500, 302])
async def test_a_refusal_is_final(status: int) -> None:
    """The same spans would only be refused again."""
    it = Scene(Answer(status, f"answered {status}"))
    it.offer(2)
    await it.exporter.flush()
    assert it.collector.bodies == [2]
    assert it.counts == {"spans_dropped refused": 2}


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (b'{"partialSuccess": {"rejectedSpans": "2"}}', 2),
        (b'{"partialSuccess": {"rejectedSpans": 9}}', 3),
        (b'{"partialSuccess": {}}', 0),
        (b"[]", 0),
        (b"thanks", 0),
    ],
)
async def test_a_part_may_be_refused(body: bytes, refused: int) -> None:
    """A collector that takes some of the spans says how many it did not."""
    it = Scene(Answer(200, body=body))
    it.offer(3)
    await it.exporter.flush()
    assert it.counts["spans_dropped refused"] == refused
    assert it.counts["spans_sent"] == 3 - refused


async def test_trouble_is_told_when_it_begins_and_when_it_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not with every request: a collector may be away for days."""
    caplog.set_level(logging.INFO)
    it = Scene(BUSY, BUSY, BUSY, TAKEN, TAKEN)
    for _ in range(2):
        it.offer(1)
        await it.exporter.flush()
    told = [record.getMessage().rpartition(": ")[2] for record in caplog.records]
    assert told[0] == "answered 503"
    assert len(told) == 2


async def test_it_runs_until_it_is_ended() -> None:
    """What is under way then is counted as lost; what still waits is sent once."""
    it = Scene()
    running = asyncio.create_task(it.exporter.run())
    it.offer(1)
    await eventually_async(lambda: _is(it.counts["spans_sent"] == 1))
    it.collector.silent = True
    it.offer(2)
    await eventually_async(lambda: _is(len(it.collector.bodies) == 2))
    it.offer(3)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    it.collector.silent = False
    await it.exporter.close()
    assert it.counts == {"spans_sent": 4, "spans_dropped gave_up": 2}
