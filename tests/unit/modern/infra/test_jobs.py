import pytest

from modern.events import tasks as events
from modern.infra import jobs
from modern.infra.jobs import WARM_EVERY_SECONDS, configuration
from modern.payments import tasks as payments
from modern.plans import tasks
from modern.plans.service import CACHE_SECONDS


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what the jobs read."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:p@h/d")
    monkeypatch.setenv("REDIS_URL", "redis://cache:6379/3")
    monkeypatch.setenv("SECRET_KEY", "x" * 16)


def test_every_scheduled_job_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beat never sends what no worker knows."""
    monkeypatch.setenv("BILLING_HOUR", "3")
    scheduled = {entry["task"] for entry in configuration()["beat_schedule"].values()}
    assert scheduled <= set(jobs.jobs.tasks)


def test_jobs_have_names_that_outlive_their_modules() -> None:
    """A job sent by the last version is understood by the next one."""
    assert (tasks.warm.name, tasks.refresh.name) == ("plans.warm", "plans.refresh")
    assert (payments.bill.name, payments.recover.name) == ("billing.run", "payments.recover")
    assert events.tell.name == "events.tell"


def test_nobody_is_billed_twice_during_the_migration(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as legacy may bill, modern does so only when it is asked."""

    def jobs_of_beat() -> set[str]:
        return {entry["task"] for entry in configuration()["beat_schedule"].values()}

    assert "billing.run" not in jobs_of_beat()
    monkeypatch.setenv("BILLING_HOUR", "3")
    assert "billing.run" in jobs_of_beat()


def test_the_plans_are_warmed_before_they_run_out() -> None:
    """Between two beats the cached catalogue stays alive."""
    assert WARM_EVERY_SECONDS < CACHE_SECONDS


def test_jobs_keep_apart_from_the_sessions_of_php() -> None:
    """Everything of ours in Redis has our prefix."""
    config = configuration()
    assert config["broker_url"] == "redis://cache:6379/3"
    assert config["broker_transport_options"]["global_keyprefix"] == "billing:jobs:"


def test_a_job_whose_worker_dies_is_done_again() -> None:
    """A job is acknowledged when it is done, not when it begins."""
    config = configuration()
    assert config["task_acks_late"]
    assert config["task_reject_on_worker_lost"]
