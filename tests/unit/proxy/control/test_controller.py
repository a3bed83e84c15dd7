from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from proxy.control.bus.base import Peer
from proxy.control.controller import ROUND, Controller
from proxy.control.status import DecisionRecord, VersionRecord
from proxy.errors import RulesError
from proxy.outcome import PairKind, WritesHalted
from tests.support_control import RULES, SHADOW, WORKER, Scene


@pytest.fixture
def place(tmp_path: Path) -> Scene:
    """Give a state directory with a rules file, and no controller yet."""
    return Scene(tmp_path)


@pytest.fixture
async def scene(place: Scene) -> Scene:
    """Give a state directory with a controller that has just started for the first time."""
    await place.start()
    return place


@pytest.fixture
def controller(scene: Scene) -> Controller:
    """Give the controller of the scene."""
    return scene.controller


class TestStart:
    """Taking over."""

    async def test_first_start(self, place: Scene) -> None:
        """The first start puts version 1 in force, and writes down why."""
        controller = await place.start()
        assert [s.version for s in place.published] == [1]
        assert place.published[0].weight("plans") == 1000
        [decision] = await controller.decisions()
        assert (decision.action, decision.author, decision.version) == ("load", "file", 1)
        assert (await place.store.latest()) == await controller.version(1)

    async def test_no_rules_at_all(self, place: Scene) -> None:
        """Without any valid rules, ever, a controller cannot begin, and lets go of the bus."""
        place.file.write_text("version: 2\n")
        with pytest.raises(RulesError, match="version"):
            await place.start()

    async def test_restart_is_no_change(self, place: Scene) -> None:
        """A restart over an unchanged file goes on with the same version."""
        await place.start()
        await place.start()
        assert place.version == 1

    async def test_edit_while_stopped(self, place: Scene) -> None:
        """What was edited meanwhile is a version of its own."""
        await place.start()
        place.file.write_text(RULES.replace("weight: 10%  ", "weight: 20%  "))
        controller = await place.start()
        assert place.version == 2
        assert place.route().weight_in_force == 2000
        assert (await controller.version(2)).reason.endswith("while no controller was running")

    @pytest.mark.parametrize("damage", ["nonsense: [", None])
    async def test_file_broken_or_gone_at_start(self, place: Scene, damage: str | None) -> None:
        """Over a broken or missing file the last good rules go on, and the status says so."""
        await place.start()
        place.file.unlink()
        if damage:
            place.file.write_text(damage)
        controller = await place.start()
        assert place.route().weight_in_force == 1000
        assert "routing_rules.yaml:1:" in (controller.status().rules_problem or "")
        place.write(RULES)
        assert controller.status().rules_problem is None
        assert place.version == 1


class TestFile:
    """Following the rules file."""

    async def test_edit_is_a_version(self, scene: Scene, controller: Controller) -> None:
        """An edit is published as the next version, with the file as its author."""
        scene.edit("weight: 10%  ", "weight: 25%  ")
        assert scene.version == 2
        assert scene.published[-1].weight("plans") == 2500
        assert (await controller.version(2)).author == "file"

    async def test_bad_edit_changes_nothing(self, scene: Scene, controller: Controller) -> None:
        """A refused file leaves the rules in force, and the status names line and reason."""
        scene.edit("weight: 10%  ", "weight: 250%  ")
        status = controller.status()
        assert status.version == 1
        assert "routing_rules.yaml:14:5: routes[0].weight" in (status.rules_problem or "")
        scene.edit("weight: 250%  ", "weight: 25%  ")
        assert controller.status().rules_problem is None
        assert scene.version == 2

    async def test_new_and_removed_routes(self, scene: Scene, controller: Controller) -> None:
        """Routes come and go with the file; reports on those gone are let fall."""
        scene.edit("id: subscriptions", "id: subs")
        assert [r.id for r in controller.status().routes] == ["plans", "subs", "everything-else"]
        scene.outcomes(ok=5, bad=50, route="subscriptions")
        assert scene.version == 2


class TestRollback:
    """Taking a route back on evidence."""

    async def test_breach_on_arrival(self, scene: Scene, controller: Controller) -> None:
        """Failures are judged as they arrive, without waiting for a tick."""
        scene.outcomes(ok=84, bad=12)
        assert scene.published[-1].rolled_back == {"plans"}
        assert scene.published[-1].weight("plans") == 0
        route = scene.route()
        assert (route.phase, route.weight_configured, route.weight_in_force) == (
            "ROLLED_BACK", 1000, 0,
        )  # fmt: skip
        assert route.rolled_back is not None
        assert route.rolled_back.cooldown_until == scene.clock.wall() + 600
        decision = (await controller.decisions())[0]
        assert (decision.action, decision.author, decision.route) == (
            "rollback", "cutover", "plans",
        )  # fmt: skip
        assert decision.evidence["detector"] == "error_rate"
        assert decision.evidence["value"] == 0.125
        assert decision.evidence["weight"] == 1000
        assert decision.evidence["rules_version"] == 1

    async def test_samples_are_few_and_redacted(self, scene: Scene, controller: Controller) -> None:
        """A decision keeps the last ten failures, without queries and identities."""
        scene.outcomes(ok=84, bad=12)
        samples = (await controller.decisions())[0].evidence["samples"]
        assert len(samples) == 10
        assert {s["path"] for s in samples} == {"/api/plans"}
        assert "identity" not in samples[0]

    @pytest.mark.parametrize("route", ["plans", "subscriptions"])
    async def test_what_decided_is_on_record(
        self, scene: Scene, controller: Controller, route: str
    ) -> None:
        """Detector, value, bound, n, window, weight, version and samples; of a freeze, too."""
        scene.outcomes(bad=30, route=route)
        decision = (await controller.decisions())[0]
        assert decision.author == "cutover"
        assert {
            "detector", "value", "bound", "n", "window", "weight", "rules_version", "samples",
        } <= set(decision.evidence)  # fmt: skip
        assert "secret" not in str(decision)

    async def test_dead_side_is_proved_before_min_requests(
        self, scene: Scene, controller: Controller
    ) -> None:
        """After a long good time, eight failing customers are enough, far below 5%."""
        scene.outcomes(ok=5000)
        scene.outcomes(bad=7)
        assert scene.route().verdict == "HOLD"
        scene.outcomes(bad=1)
        assert scene.route().phase == "ROLLED_BACK"
        assert (await controller.decisions())[0].evidence["detector"] == "t1"

    async def test_one_broken_customer_proves_nothing(self, scene: Scene) -> None:
        """A single customer in a retry loop is one event for the evidence."""
        scene.outcomes(ok=5000)
        for _ in range(50):
            scene.outcomes(bad=1, identity=7)
        assert scene.route().phase == "CANARY"

    async def test_slow_is_seen_on_arrival(self, scene: Scene) -> None:
        """Where a worker says that answers were slow, nobody waits for a tick."""
        scene.outcomes(ok=30, latency=1.5, slow=30)
        assert scene.route().phase == "ROLLED_BACK"

    async def test_latency_is_looked_at_in_every_tick(
        self, scene: Scene, controller: Controller
    ) -> None:
        """A p95 above the limit rolls back at the next tick, whoever was slow."""
        scene.outcomes(ok=30, latency=1.5)
        assert scene.route().phase == "CANARY"
        scene.pass_time(0.05)
        assert scene.route().phase == "ROLLED_BACK"
        assert (await controller.decisions())[0].evidence["detector"] == "p95"

    async def test_latency_is_seen_within_a_round_among_many_routes(self, place: Scene) -> None:
        """Routes are looked at in turn, so that no look takes long; failures wait for no turn."""
        many = [f"  - {{id: r{n}, match: {{path: /r{n}}}, weight: 10%}}\n" for n in range(500)]
        place.file.write_text(
            RULES.replace("  - id: everything", "".join(many) + "  - id: everything")
        )
        await place.start()
        place.outcomes(ok=30, latency=1.5, route="r499")
        for _ in range(ROUND):
            place.pass_time(0.05)
        assert place.route("r499").phase == "ROLLED_BACK"
        place.outcomes(bad=30, route="r498")
        assert place.route("r498").phase == "ROLLED_BACK"
        assert place.route("r497").phase == "CANARY"

    async def test_differences_roll_back_only_what_serves(
        self, scene: Scene, controller: Controller
    ) -> None:
        """Differences take back a route at 10%; at 0% they are what shadowing is for."""
        await controller.set_weight("plans", 0, author="me", reason="shadow only")
        scene.comparisons("mismatch", 10)
        scene.comparisons("match", 90)
        scene.pass_time(0.05)
        assert (scene.route().phase, scene.route().verdict) == ("SHADOW", "HOLD")
        await controller.set_weight("plans", 1000, author="me", reason="try")
        scene.pass_time(0.05)
        assert scene.route().phase == "ROLLED_BACK"
        assert (await controller.decisions())[0].evidence["detector"] == "mismatch_rate"

    async def test_legacy_failures_are_not_moderns(self, scene: Scene) -> None:
        """What legacy fails rolls nothing back."""
        scene.outcomes(bad=100, side="legacy")
        scene.pass_time(1)
        assert scene.version == 1
        assert scene.route().legacy.error_rate == 1.0

    async def test_old_failures_leave_the_window(self, scene: Scene) -> None:
        """Failures older than the window count no longer."""
        scene.outcomes(ok=10, bad=5)
        scene.pass_time(61)
        scene.outcomes(ok=50, bad=2)
        scene.pass_time(1)
        assert scene.route().phase == "CANARY"

    async def test_clock_jump_is_no_evidence(self, scene: Scene) -> None:
        """A jump of the wall clock neither empties the window nor rolls anything back."""
        scene.outcomes(ok=100, bad=3)
        scene.clock.jump(86_400)
        scene.pass_time(0.05)
        assert scene.route().modern.requests == 103
        assert scene.route().phase == "CANARY"

    async def test_a_wrong_amount_holds_and_the_third_takes_back(
        self, scene: Scene, controller: Controller
    ) -> None:
        """Critical differences of three customers are enough, and are shown without values."""
        for _ in range(2):
            scene.pair(PairKind.CRITICAL)
        assert (scene.route().verdict, scene.route().phase) == ("HOLD", "CANARY")
        assert "2 customers got another answer" in scene.route().verdict_reason
        scene.pair(PairKind.CRITICAL)
        assert scene.route().phase == "ROLLED_BACK"
        evidence = (await controller.decisions())[0].evidence
        assert (evidence["detector"], evidence["value"], evidence["place"]) == (
            "critical", 3, "$.price",
        )  # fmt: skip
        assert [sample["kind"] for sample in evidence["samples"]] == ["critical"] * 3
        assert "identity" not in evidence["samples"][0]

    async def test_a_common_cause_takes_nothing_back(self, scene: Scene) -> None:
        """A database that both sides use has died: everybody stays where they are."""
        scene.outcomes(ok=900, side="legacy")
        scene.outcomes(ok=100)
        for _ in range(10):
            scene.outcomes(bad=9, side="legacy")
            scene.outcomes(bad=1)
        assert scene.route().phase == "CANARY"
        assert "so nothing proves that modern is worse" in scene.route().verdict_reason

    async def test_a_worker_that_is_not_heard_holds(self, scene: Scene) -> None:
        """What it serves is not measured, so that nothing may go on."""
        scene.controller.on_peer(WORKER, connected=True)
        scene.pass_time(7)
        scene.pass_time(1)
        assert scene.route().verdict == "HOLD"
        assert "worker 0 has said nothing for" in scene.route().verdict_reason
        scene.outcomes(ok=1)
        scene.pass_time(1)
        assert "worker 0" not in scene.route().verdict_reason

    async def test_published_before_written(self, scene: Scene) -> None:
        """When workers hear of a rollback, nothing has waited for the store."""
        scene.store.problem = "disk full"
        scene.outcomes(bad=20)
        assert scene.published[-1].rolled_back == {"plans"}

    async def test_freeze_keeps_the_weight(self, scene: Scene, controller: Controller) -> None:
        """A route that must not go back is frozen: one decision, the same weight."""
        for _ in range(5):
            scene.outcomes(bad=20, route="subscriptions")
            scene.pass_time(1)
        route = scene.route("subscriptions")
        assert (route.weight_in_force, route.verdict) == (5000, "ROLLBACK")
        actions = [d.action for d in await controller.decisions(route="subscriptions")]
        assert actions == ["freeze"]
        assert scene.version == 1

    async def test_kill_switch_ends_judging(self, scene: Scene, controller: Controller) -> None:
        """While legacy serves everything, what is measured belongs to the past."""
        await controller.set_kill_switch(True, author="me", reason="fire")
        scene.outcomes(bad=30, version=1)
        scene.pass_time(1)
        assert scene.route().phase == "CANARY"
        assert scene.version == 2


class TestEvidence:
    """What is forgotten when."""

    async def test_kept_over_a_weight_change(self, scene: Scene, controller: Controller) -> None:
        """Raising the weight does not wash failures away."""
        scene.outcomes(ok=50, bad=2)
        await controller.set_weight("plans", 2000, author="me", reason="more")
        assert scene.route().modern.bad == 2

    async def test_forgotten_when_the_route_is_written_anew(self, scene: Scene) -> None:
        """Another limit for a route begins its evidence anew; other routes keep theirs."""
        scene.outcomes(ok=50, bad=2)
        scene.outcomes(ok=50, bad=1, route="subscriptions")
        scene.edit("plan: standard", "plan: standard\n    rollback: {error_rate: 10%}")
        assert scene.route().modern.requests == 0
        assert scene.route("subscriptions").modern.requests == 51

    async def test_reports_on_the_state_before_are_let_fall(
        self, scene: Scene, controller: Controller
    ) -> None:
        """After a resume, what a worker still reports on the version before counts no more."""
        scene.outcomes(bad=20)
        before = scene.version
        await controller.resume("plans", author="me", reason="fixed", force=True)
        scene.outcomes(bad=40, version=before)
        assert scene.route().phase == "CANARY"
        scene.outcomes(bad=20)
        assert scene.route().phase == "ROLLED_BACK"

    async def test_another_release_begins_anew(self, scene: Scene, controller: Controller) -> None:
        """What was measured of the release before counts no more, nor what is still told of it."""
        scene.outcomes(ok=5000)
        scene.outcomes(bad=7)
        before = scene.version
        record = await controller.deployed(author="me", reason="release 2.5")
        assert record.number == before + 1
        assert scene.route().modern.requests == 0
        scene.outcomes(bad=7, version=before)
        scene.outcomes(ok=50)
        scene.outcomes(bad=2)
        assert scene.route().phase == "CANARY"
        decision = (await controller.decisions())[0]
        assert (decision.action, decision.reason) == ("deployed", "release 2.5")

    async def test_slowness_is_measured_against_legacy_where_the_route_says_so(
        self, scene: Scene
    ) -> None:
        """Workers are told from when on an answer is slow, and those that come later, too."""
        assert scene.told == []
        scene.edit("plan: standard", "plan: standard\n    rollback: {latency_tolerance: 2x}")
        scene.pass_time(1)
        assert scene.told == [("slow_at", {"plans": 1.0})]
        for _ in range(70):
            scene.outcomes(ok=100, side="legacy", latency=0.1)
            scene.pass_time(1)
        (_, limits) = scene.told[-1]
        assert limits["plans"] == pytest.approx(0.2, rel=0.03)
        assert len(scene.told) == 2

    async def test_a_reading_stays_as_it_was_read(
        self, scene: Scene, controller: Controller
    ) -> None:
        """It is written down in a thread, while outcomes go on being counted."""
        scene.outcomes(ok=3, bad=1)
        reading = controller.reading()
        before = repr(reading)
        scene.outcomes(ok=5, bad=2)
        assert repr(reading) == before != repr(controller.reading())

    async def test_metrics_never_forget(self, scene: Scene, controller: Controller) -> None:
        """Counters for metrics only grow."""
        scene.outcomes(ok=5, bad=20)
        await controller.resume("plans", author="me", reason="fixed", force=True)
        route = controller.reading().routes[0]
        assert route.outcomes["modern", "bad"] == 20
        assert route.rollbacks == {"error_rate": 1}


class TestDurability:
    """A rollback outlives everything."""

    async def test_restart(self, scene: Scene, controller: Controller) -> None:
        """A new controller finds the rollback, its reason and its cool-down."""
        scene.outcomes(bad=20)
        before = scene.route().rolled_back
        await controller.close()
        await scene.start()
        assert scene.route().rolled_back == before
        assert scene.published[-1].rolled_back == {"plans"}
        assert scene.version == 2

    async def test_kill_before_anything_was_written(self, scene: Scene) -> None:
        """A controller that dies with the store out of order has left the rollback in a file."""
        scene.store.problem = "disk full"
        scene.outcomes(bad=20)
        scene.store.problem = None
        again = await scene.start()
        assert scene.route().phase == "ROLLED_BACK"
        assert [v.number for v in await scene.store.versions()] == [2, 1]
        assert again.status().store_problem is None

    async def test_evidence_goes_on(self, scene: Scene, controller: Controller) -> None:
        """Seven failures before a restart and one after it are eight."""
        scene.outcomes(ok=5000)
        scene.outcomes(bad=7)
        await controller.close()
        await scene.start()
        scene.outcomes(bad=1)
        assert scene.route().phase == "ROLLED_BACK"

    async def test_evidence_about_other_rules_is_none(
        self, scene: Scene, controller: Controller
    ) -> None:
        """What was edited while nobody looked begins anew."""
        scene.outcomes(ok=5000)
        scene.outcomes(bad=7)
        await controller.close()
        text = scene.file.read_text()
        scene.file.write_text(
            text.replace("plan: standard", "plan: standard\n    rollback: {error_rate: 4%}")
        )
        await scene.start()
        scene.outcomes(bad=1)
        assert scene.route().phase == "CANARY"

    async def test_evidence_of_routes_that_are_gone_is_not_kept(self, scene: Scene) -> None:
        """It would stay for ever, and be taken for that of a later route of the same name."""
        controller = await scene.start()
        await controller.close()
        assert "plans" in await scene.store.evidence()
        controller = await scene.start()
        scene.edit("id: plans", "id: prices")
        await controller.close()
        kept = await scene.store.evidence()
        assert "prices" in kept
        assert "plans" not in kept

    @pytest.mark.parametrize("damage", ["x", {"form": 99}, {"form": 1, "errors": {"r": "x"}}, []])
    async def test_evidence_that_cannot_be_read(
        self, scene: Scene, controller: Controller, damage: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It begins anew, and says so."""
        scene.outcomes(ok=5000)
        scene.outcomes(bad=7)
        await controller.close()
        rows = await scene.store.evidence()
        rows["plans"]["detectors"] = damage
        await scene.store.keep_evidence(scene.version, rows)
        await scene.start()
        assert "the evidence about plans begins anew" in caplog.text
        scene.outcomes(bad=1)
        assert scene.route().phase == "CANARY"

    async def test_store_lost_while_stopped(self, scene: Scene, controller: Controller) -> None:
        """A store deleted between two controllers is begun anew with what is in force."""
        scene.outcomes(bad=20)
        await controller.close()
        scene.store.lose_everything()
        again = await scene.start()
        assert scene.route().phase == "ROLLED_BACK"
        latest = await scene.store.latest()
        assert latest is not None
        assert (latest.number, latest.rolled_back) == (2, ("plans",))
        await again.rollback("subscriptions", author="me", reason="to be safe")
        assert [d.id for d in await again.decisions()] == [3]

    async def test_snapshot_file_lost(self, scene: Scene, controller: Controller) -> None:
        """The store alone is enough, too."""
        scene.outcomes(bad=20)
        await controller.close()
        scene.snapshot_file.write_bytes(b'{"version":')
        await scene.start()
        assert scene.route().phase == "ROLLED_BACK"

    async def test_editing_the_file_undoes_no_rollback(self, scene: Scene) -> None:
        """No edit puts a rolled back route in force, not even removing and adding it again."""
        scene.outcomes(bad=20)
        scene.edit("weight: 10%  ", "weight: 90%  ")
        assert (scene.route().weight_configured, scene.route().weight_in_force) == (9000, 0)
        whole = scene.file.read_text()
        scene.edit("id: plans  ", "id: other  ")
        scene.write(whole)
        assert scene.route().phase == "ROLLED_BACK"
        assert scene.published[-1].weight("plans") == 0


class TestWorkers:
    """What workers say of themselves."""

    async def test_workers_are_shown(self, scene: Scene, controller: Controller) -> None:
        """Workers appear with role, version and what they hold, and are marked when gone."""
        controller.on_peer(WORKER, True)
        controller.on_peer(SHADOW, True)
        controller.on_message(WORKER, "ack", {"version": 1})
        scene.comparisons("match", 3)
        scene.clock.advance(2)
        controller.on_peer(WORKER, False)
        scene.clock.advance(3)
        shadow, worker = controller.status().workers
        assert (worker.role, worker.connected, worker.version) == ("worker", False, 1)
        assert worker.last_seen == 3
        assert (shadow.role, shadow.queue, shadow.version) == ("shadow", 5, 1)

    async def test_restarted_worker_takes_its_place(self, controller: Controller) -> None:
        """The end of an old connection says nothing about the new process."""
        controller.on_peer(WORKER, True)
        controller.on_peer(Peer(9, "worker", 0, 5000), True)
        controller.on_peer(WORKER, False)
        [worker] = controller.status().workers
        assert (worker.pid, worker.connected) == (5000, True)

    async def test_worker_that_knows_more(self, scene: Scene, controller: Controller) -> None:
        """When a worker goes by a later version, which nobody else knows, it is overtaken."""
        controller.on_peer(WORKER, True)
        controller.on_message(WORKER, "ack", {"version": 7})
        assert scene.published[-1].version == 8
        assert (await controller.version(8)).parent == 1

    async def test_message_of_the_future(self, scene: Scene, controller: Controller) -> None:
        """A message of unknown kind is no reason to fall over."""
        controller.on_message(WORKER, "poem", {})
        assert scene.version == 1


class TestMirroredWrites:
    """A write that was not acknowledged ends the mirroring of its route's writes."""

    def halt(self, controller: Controller, route: str = "plans", epoch: int = 0) -> None:
        """A shadow worker reports so."""
        told = WritesHalted(route, epoch, "req-1.aa", "its answer (201) has no cutover-shadow-ack")
        controller.on_message(SHADOW, "writes_halted", told.to_wire())

    async def test_halt(self, scene: Scene, controller: Controller) -> None:
        """Everybody is told, it is on record, and the routing is as it was."""
        self.halt(controller)
        snapshot = scene.published[-1]
        assert (snapshot.version, snapshot.halted_writes) == (2, frozenset({"plans"}))
        assert snapshot.weight("plans") == 1000
        [decision, _] = await controller.decisions()
        assert (decision.action, decision.author, decision.route) == (
            "halt_writes", "cutover", "plans",
        )  # fmt: skip
        assert decision.reason.endswith("its answer (201) has no cutover-shadow-ack")
        assert decision.evidence == {"write": "req-1.aa", "epoch": 0}
        shown = scene.route().writes_halted
        assert shown is not None
        assert shown.reason == decision.reason

    async def test_told_again(self, scene: Scene, controller: Controller) -> None:
        """By another worker, or of what is over: nothing changes."""
        self.halt(controller)
        self.halt(controller)
        self.halt(controller, "no-such-route")
        assert scene.version == 2
        await controller.resume_writes("plans", author="me", reason="mended")
        self.halt(controller, epoch=0)
        assert scene.version == 3
        self.halt(controller, epoch=3)
        assert scene.published[-1].halted_writes == frozenset({"plans"})

    async def test_survives(self, scene: Scene, controller: Controller) -> None:
        """A controller that starts anew, and an edit of the rules, resume nothing."""
        self.halt(controller)
        await controller.close()
        started = await scene.start()
        scene.edit("weight: 10%", "weight: 11%")
        assert scene.published[-1].halted_writes == frozenset({"plans"})
        assert started.status().routes[0].writes_halted is not None

    async def test_metric(self, controller: Controller) -> None:
        """Only of routes that mirror writes."""
        assert [route.writes_halted for route in controller.reading().routes] == [None] * 3


async def test_run_writes_what_is_decided(scene: Scene) -> None:
    """While `run` goes, decisions reach the store by themselves; it ends when cancelled."""
    written = asyncio.Event()
    append = scene.store.append

    async def tell(
        version: VersionRecord | None = None, decision: DecisionRecord | None = None
    ) -> None:
        await append(version, decision)
        written.set()

    scene.store.append = tell  # type: ignore[method-assign] # to hear when it happens
    running = asyncio.create_task(scene.controller.run())
    await asyncio.sleep(0)
    scene.outcomes(bad=20)
    await written.wait()
    latest = await scene.store.latest()
    assert latest is not None
    assert latest.rolled_back == ("plans",)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
