from __future__ import annotations

from shadow_compare.dry_run.run import DryRun, inside
from shadow_compare.dry_run.tasks import DryRunCelery

app = DryRunCelery("tests", broker="memory://")


@app.task(name="bill")  # type: ignore[untyped-decorator] # Celery ships no types
def bill(number: int) -> None:
    """Do nothing, which nobody asks for."""


def waiting() -> int:
    """Count the tasks that lie in the queue."""
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        return int(channel.queue_declare("celery", passive=False).message_count)


def test_tasks_are_sent_for_real_and_recorded_in_a_dry_run() -> None:
    """By whatever way they are sent."""
    run = DryRun("r")
    with inside(run):
        bill.delay(1)
        bill.apply_async((2,), task_id="t", countdown=5)
        result = app.send_task("bill", args=(3,))
        (bill.si(4) | bill.si(5)).apply_async()
        assert result.state == "PENDING"
    assert [effect.details["args"] for effect in run.effects] == [(1,), (2,), (3,), (4,)]
    assert {effect.details["name"] for effect in run.effects} == {"bill"}
    assert waiting() == 0
    bill.delay(6)
    assert waiting() == 1
