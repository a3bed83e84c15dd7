from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TypedDict

import pytest

from proxy.control.controller import Controller
from proxy.errors import ConflictError, NotFoundError, RefusedError, RulesError
from proxy.outcome import WritesHalted
from proxy.routing.compare_rules import IgnoreRule
from proxy.routing.schema import load_rules
from tests.support_control import RULES, SHADOW, Scene


class Who(TypedDict):
    """Who changes something, and why."""

    author: str
    reason: str


ME: Who = {"author": "me", "reason": "because"}


@pytest.fixture
async def scene(tmp_path: Path) -> Scene:
    """Give a state directory with a controller that has just started for the first time."""
    scene = Scene(tmp_path)
    await scene.start()
    return scene


@pytest.fixture
def controller(scene: Scene) -> Controller:
    """Give the controller of the scene."""
    return scene.controller


class TestSetWeight:
    """Changing a share."""

    async def test_in_force_written_and_told(self, scene: Scene, controller: Controller) -> None:
        """A weight is in force at once, stands in the file with every comment, and is recorded."""
        record = await controller.set_weight("plans", 1250, **ME)
        assert (record.number, record.parent, record.author) == (2, 1, "me")
        assert scene.published[-1].weight("plans") == 1250
        assert scene.file.read_text() == RULES.replace("weight: 10%  ", "weight: 12.5%  ")
        decision = (await controller.decisions())[0]
        assert (decision.action, decision.evidence) == (
            "set_weight", {"previous": 1000, "weight": 1250},
        )  # fmt: skip
        assert await scene.store.latest() == record

    async def test_own_edit_is_no_edit(self, scene: Scene, controller: Controller) -> None:
        """The file written by the controller does not come back as an edit."""
        await controller.set_weight("plans", 5000, **ME)
        for _ in range(5):
            scene.pass_time(1)
        assert scene.version == 2

    async def test_a_second_edit_meanwhile_comes_first(
        self, scene: Scene, controller: Controller
    ) -> None:
        """Both are worked out beside the loop: one is in force, and the other is told."""
        results = await asyncio.gather(
            controller.set_weight("plans", 2000, **ME),
            controller.set_weight("everything-else", 500, **ME),
            return_exceptions=True,
        )
        assert [isinstance(each, ConflictError) for each in results].count(True) == 1
        assert scene.version == 2

    async def test_a_rollback_meanwhile_wins(self, scene: Scene, controller: Controller) -> None:
        """Nothing holds it up, and the weight is not raised afterwards, nor in the file."""
        raising = asyncio.create_task(controller.set_weight("plans", 5000, **ME))
        await asyncio.sleep(0)  # it is being worked out now
        await controller.rollback("plans", **ME)
        with pytest.raises(ConflictError, match="changed the routing meanwhile"):
            await raising
        assert scene.route().phase == "ROLLED_BACK"
        assert scene.file.read_text() == RULES

    async def test_same_weight_is_no_version(self, controller: Controller) -> None:
        """Setting what is set already changes nothing."""
        assert (await controller.set_weight("plans", 1000, **ME)).number == 1

    async def test_second_of_two_editors_is_told(
        self, scene: Scene, controller: Controller
    ) -> None:
        """Who expected another version gets a conflict that says who came first, and why."""
        await controller.set_weight("plans", 2000, author="ada", reason="ticket 7")
        with pytest.raises(ConflictError, match=r"version 2 by now, not 1: ada .*ticket 7"):
            await controller.set_weight("plans", 3000, **ME, expected_version=1)
        await controller.set_weight("plans", 3000, **ME, expected_version=2)
        assert scene.route().weight_in_force == 3000

    async def test_edit_on_disk_is_taken_first(self, scene: Scene, controller: Controller) -> None:
        """A file edited a moment before is not overwritten: both changes are in force."""
        scene.file.write_text(RULES.replace("weight: 50%", "weight: 60%"))
        scene.pass_time(0.05)
        record = await controller.set_weight("plans", 2000, **ME)
        assert record.number == 3
        assert scene.route("subscriptions").weight_in_force == 6000
        assert scene.route().weight_in_force == 2000

    async def test_half_written_file_is_not_overwritten(
        self, scene: Scene, controller: Controller
    ) -> None:
        """While somebody writes the file in place, a change is put off."""
        with scene.file.open("a") as file:
            file.write("# one more line")
        with pytest.raises(ConflictError, match="being edited"):
            await controller.set_weight("plans", 2000, **ME)

    async def test_broken_file_is_not_overwritten(
        self, scene: Scene, controller: Controller
    ) -> None:
        """Over a file with a mistake nothing is written; the refusal says what to mend."""
        scene.write("nonsense: [")
        with pytest.raises(RefusedError, match=r"mended first: .*routing_rules.yaml:\d"):
            await controller.set_weight("plans", 2000, **ME)
        assert scene.file.read_text() == "nonsense: ["

    @pytest.mark.parametrize("weight", [-1, 10_001])
    async def test_out_of_range(self, controller: Controller, weight: int) -> None:
        """A weight beyond 0 to 100% is refused."""
        with pytest.raises(RefusedError, match="between 0% and 100%"):
            await controller.set_weight("plans", weight, **ME)

    async def test_unknown_route(self, controller: Controller) -> None:
        """A route that is not in the rules is not found."""
        with pytest.raises(NotFoundError, match="no route `plan`"):
            await controller.set_weight("plan", 1, **ME)

    async def test_rolled_back_route(self, scene: Scene, controller: Controller) -> None:
        """A rolled back route has to be resumed first; the refusal says why it stands at 0."""
        scene.outcomes(bad=20)
        with pytest.raises(RefusedError, match=r"rolled back at .* \(error rate.*resume it first"):
            await controller.set_weight("plans", 2000, **ME)
        assert scene.file.read_text() == RULES


class TestIgnoreRules:
    """Ruling differences out."""

    async def test_in_force_written_and_told(self, scene: Scene, controller: Controller) -> None:
        """A rule is in force at once, stands in the file with every comment, and is recorded."""
        rule = IgnoreRule("$.at", "the clock", "billing", date(2027, 3, 1))
        evidence = {"signature": "abc"}
        record = await controller.add_ignore_rules("plans", [rule], **ME, evidence=evidence)
        assert record.number == 2
        loaded = load_rules(scene.file.read_text(), "rules")[1]
        assert [route.compare.ignore for route in loaded.routes if route.id == "plans"] == [(rule,)]
        assert set(RULES.splitlines()) - set(scene.file.read_text().splitlines()) == set()
        decision = (await controller.decisions())[0]
        assert (decision.action, decision.route) == ("ignore", "plans")
        assert decision.evidence == evidence

    async def test_rule_that_is_there_already_is_no_version(self, controller: Controller) -> None:
        """Unless it ends sooner than what is wanted."""
        rule = IgnoreRule("$.at", "the clock", "", date(2027, 3, 1))
        for _ in range(2):
            record = await controller.add_ignore_rules("plans", [rule], **ME, evidence={})
            assert record.number == 2
        longer = replace(rule, until=date(2027, 4, 1))
        record = await controller.add_ignore_rules("plans", [longer], **ME, evidence={})
        assert record.number == 3

    async def test_second_of_two_editors_is_told(self, controller: Controller) -> None:
        """As for weights."""
        await controller.set_weight("plans", 2000, **ME)
        with pytest.raises(ConflictError):
            await controller.add_ignore_rules(
                "plans", [IgnoreRule("$.at", "x")], **ME, evidence={}, expected_version=1
            )


class TestCompareEntries:
    """Adding what a proposal says."""

    async def test_in_force_written_and_told(self, scene: Scene, controller: Controller) -> None:
        """An entry is in force at once, stands in the file, and is recorded with its evidence."""
        entry = {"path": "$.id"}
        record = await controller.add_compare_entry(
            "plans", "correspond", entry, **ME, evidence={"proposal": "p"}
        )
        assert record.number == 2
        assert "correspond" in scene.file.read_text()
        decision = (await controller.decisions())[0]
        assert (decision.action, decision.route) == ("compare", "plans")
        assert decision.evidence == {"proposal": "p"}
        with pytest.raises(RefusedError):
            await controller.add_compare_entry("plans", "ignore", entry, **ME, evidence={})


class TestRollbackAndResume:
    """Taking back by hand, and putting in force again."""

    async def test_by_hand(self, scene: Scene, controller: Controller) -> None:
        """A rollback by hand leaves the file alone, and may be resumed at once."""
        record = await controller.rollback("plans", **ME)
        assert record.rolled_back == ("plans",)
        assert scene.published[-1].weight("plans") == 0
        assert scene.file.read_text() == RULES
        await controller.resume("plans", **ME)
        assert scene.published[-1].weight("plans") == 1000
        actions = [d.action for d in await controller.decisions(route="plans")]
        assert actions == ["resume", "rollback"]

    async def test_twice(self, controller: Controller) -> None:
        """What is rolled back cannot be rolled back again."""
        await controller.rollback("plans", **ME)
        with pytest.raises(RefusedError, match="nothing is left to take back"):
            await controller.rollback("plans", **ME)

    async def test_nothing_to_resume(self, controller: Controller) -> None:
        """A route in force cannot be resumed."""
        with pytest.raises(RefusedError, match="nothing to resume"):
            await controller.resume("plans", **ME)

    async def test_cooldown(self, scene: Scene, controller: Controller) -> None:
        """Before the cool-down has ended only force resumes; after it anybody."""
        scene.outcomes(bad=20)
        scene.clock.advance(120)
        with pytest.raises(RefusedError, match="lasts another 8 min"):
            await controller.resume("plans", **ME)
        scene.clock.advance(480)
        await controller.resume("plans", **ME)
        assert scene.route().phase == "CANARY"

    async def test_cooldown_doubles(self, scene: Scene, controller: Controller) -> None:
        """Each automatic rollback in a row waits twice as long; a quiet day forgives."""
        waits = []
        for pause in (0, 700, 1300, 90_000):
            scene.clock.advance(pause)
            scene.outcomes(bad=20)
            rolled_back = scene.route().rolled_back
            assert rolled_back is not None
            waits.append(rolled_back.cooldown_until - rolled_back.at)
            await controller.resume("plans", **ME, force=True)
        assert waits == [600, 1200, 2400, 600]

    async def test_resume_at_another_weight(self, scene: Scene, controller: Controller) -> None:
        """A resume may begin lower: one version, and the file says the same."""
        scene.outcomes(bad=20)
        record = await controller.resume("plans", **ME, weight=100, force=True)
        assert record.number == 3
        assert scene.published[-1].weight("plans") == 100
        assert "weight: 1%  " in scene.file.read_text()
        assert record.text == scene.file.read_text()
        scene.pass_time(1)
        assert scene.version == 3

    async def test_evidence_of_the_past_does_not_roll_back_again(
        self, scene: Scene, controller: Controller
    ) -> None:
        """A resumed route is judged by what comes after."""
        scene.outcomes(bad=20)
        await controller.resume("plans", **ME, force=True)
        scene.outcomes(ok=3)
        scene.pass_time(1)
        assert scene.route().phase == "CANARY"


class TestKillSwitch:
    """Everything to legacy."""

    async def test_on_and_off(self, scene: Scene, controller: Controller) -> None:
        """The switch puts every weight to 0 and back, and survives a restart."""
        await controller.set_kill_switch(True, **ME)
        assert scene.published[-1].kill_switch
        assert scene.route().weight_in_force == 0
        await scene.start()
        assert scene.controller.status().kill_switch
        await scene.controller.set_kill_switch(False, **ME)
        assert scene.route().weight_in_force == 1000
        assert [d.action for d in await scene.controller.decisions()] == ["unkill", "kill", "load"]

    async def test_twice_is_once(self, controller: Controller) -> None:
        """Turning it the way it stands is no version."""
        assert (await controller.set_kill_switch(False, **ME)).number == 1


class TestReading:
    """Looking things up."""

    async def test_not_found(self, controller: Controller) -> None:
        """Versions and decisions that never were are not found."""
        with pytest.raises(NotFoundError, match="no version 9"):
            await controller.version(9)
        with pytest.raises(NotFoundError, match="no decision 9"):
            await controller.decision(9)

    async def test_history_without_a_store(self, scene: Scene, controller: Controller) -> None:
        """While the store is out of order, history is read from memory, and the status says so."""
        scene.store.problem = "disk full"
        await controller.set_weight("plans", 2000, **ME)
        assert [v.number for v in await controller.versions()] == [2, 1]
        assert (await controller.decision(2)).action == "set_weight"
        assert (await controller.version(1)).number == 1
        assert controller.status().store_problem == "disk full"
        scene.store.problem = None
        await controller.set_weight("plans", 3000, **ME)
        assert controller.status().store_problem is None
        assert [v.number for v in await scene.store.versions()] == [3, 2, 1]

    async def test_status_tells_everything_of_a_route(self, scene: Scene) -> None:
        """Both sides, coverage, shares and the verdict are told for each route."""
        scene.outcomes(ok=30, latency=0.2)
        scene.outcomes(ok=60, bad=10, side="legacy", latency=0.4)
        scene.comparisons("match", 5)
        scene.comparisons("ignored", 2, "rules")
        scene.comparisons("not_compared", 3, "candidate_timeout")
        scene.pass_time(1)
        route = scene.route()
        assert route.weight_observed == 0.3
        assert (route.modern.requests, route.modern.error_rate) == (30, 0.0)
        assert route.modern.p95 == pytest.approx(0.2, rel=0.02)
        assert (route.legacy.requests, route.legacy.bad) == (70, 10)
        assert (route.coverage.match, route.coverage.ignored, route.coverage.compared) == (5, 2, 7)
        assert route.coverage.not_compared == {"candidate_timeout": 3}
        assert (route.verdict, route.plan) == ("HOLD", "standard")
        assert route.verdict_reason == "step 2 of 3 needs 70 more requests on modern, about 3 s"


class TestChanged:
    """Following what happens."""

    async def test_every_change_wakes(self, scene: Scene, controller: Controller) -> None:
        """Versions, and decisions without one, are told; the end of the controller ends it."""
        changes = controller.changed()
        first = await _after(changes, lambda: scene.edit("weight: 50%", "weight: 51%"))
        assert first == 2
        freeze = await _after(changes, lambda: scene.outcomes(bad=20, route="subscriptions"))
        assert freeze == 2
        await controller.close()
        with pytest.raises(StopAsyncIteration):
            await anext(changes)

    async def test_the_last_change_is_never_missed(
        self, scene: Scene, controller: Controller
    ) -> None:
        """Who is busy while several changes happen is told once, with the last version."""
        changes = controller.changed()
        await _after(changes, lambda: scene.edit("weight: 50%", "weight: 51%"))
        scene.edit("weight: 51%", "weight: 52%")
        scene.edit("weight: 52%", "weight: 53%")
        assert await anext(changes) == 4


async def _after(changes: AsyncIterator[int], act: Callable[[], None]) -> int:
    """Give what is told when something happens to somebody who is waiting."""
    waiting = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)
    act()
    return await waiting


class TestKillFile:
    """The kill switch as a file, while a controller lives."""

    async def test_made_and_removed(self, scene: Scene, controller: Controller) -> None:
        """It is shown, journaled, and in force at once; the rules have not changed."""
        file = scene.directory / "kill"
        file.touch()
        scene.pass_time(0.05)
        status = controller.status()
        assert (status.kill_switch, status.version) == (True, 1)
        assert status.kill_file == f"somebody made the file {file}"
        assert {route.weight_in_force for route in status.routes} == {0}
        assert controller.reading().kill_switch
        assert {route.weight_in_force for route in controller.reading().routes} == {0.0}
        file.unlink()
        scene.pass_time(0.05)
        status = controller.status()
        assert (status.kill_switch, status.kill_file) == (False, None)
        assert scene.route().weight_in_force == 1000
        decisions = await controller.decisions(limit=2)
        assert [decision.action for decision in decisions] == ["unkill", "kill"]
        assert decisions[1].evidence == {"file": str(file)}

    async def test_lifted_by_unkill(self, scene: Scene, controller: Controller) -> None:
        """Whoever unkills means it; it is written down once, under that name."""
        (scene.directory / "kill").touch()
        scene.pass_time(0.05)
        record = await controller.set_kill_switch(False, **ME)
        scene.pass_time(0.05)
        assert record.number == 1
        assert not (scene.directory / "kill").exists()
        assert not controller.status().kill_switch
        decisions = await controller.decisions()
        assert [(one.action, one.author) for one in decisions] == [
            ("unkill", "me"), ("kill", "file"), ("load", "file"),
        ]  # fmt: skip

    async def test_both_lifted_by_unkill(self, scene: Scene, controller: Controller) -> None:
        """The order and the file."""
        await controller.set_kill_switch(True, **ME)
        (scene.directory / "kill").touch()
        scene.pass_time(0.05)
        await controller.set_kill_switch(False, **ME)
        assert not controller.status().kill_switch
        assert not scene.published[-1].kill_switch

    async def test_not_lifted_when_it_stays(self, scene: Scene, controller: Controller) -> None:
        """To say that the rules decide again would be a lie."""
        (scene.directory / "kill").mkdir()
        scene.pass_time(0.05)
        with pytest.raises(RefusedError, match=r"the kill file cannot be removed: .*by hand"):
            await controller.set_kill_switch(False, **ME)
        assert controller.status().kill_switch

    async def test_nothing_is_judged_under_it(self, scene: Scene, controller: Controller) -> None:
        """What is measured is the past."""
        (scene.directory / "kill").touch()
        scene.pass_time(0.05)
        scene.outcomes(bad=50)
        assert controller.status().version == 1


class TestResumeWrites:
    """Mirroring writes again after one was not acknowledged."""

    async def test_only_what_is_halted(self, controller: Controller) -> None:
        """Nothing else can be resumed, and nothing that is not there."""
        with pytest.raises(RefusedError, match="writes of `plans` are not halted"):
            await controller.resume_writes("plans", **ME)
        with pytest.raises(NotFoundError):
            await controller.resume_writes("nowhere", **ME)

    async def test_under_a_new_epoch(self, scene: Scene, controller: Controller) -> None:
        """The version that resumes them, so that the first write must be acknowledged anew."""
        told = WritesHalted("plans", 0, "w", "why")
        controller.on_message(SHADOW, "writes_halted", told.to_wire())
        with pytest.raises(ConflictError):
            await controller.resume_writes("plans", **ME, expected_version=1)
        record = await controller.resume_writes("plans", **ME, expected_version=2)
        assert (record.number, record.author) == (3, "me")
        assert scene.published[-1].write_epochs == {"plans": 3}
        assert scene.published[-1].halted_writes == frozenset()
        assert (await controller.decisions())[0].action == "resume_writes"


class TestDocuments:
    """A whole document as one change."""

    async def test_an_import_is_in_force_and_stands_in_the_file(
        self, scene: Scene, controller: Controller
    ) -> None:
        """Character by character; a version like any other."""
        text = RULES.replace("weight: 10%", "weight: 20%").replace("\n", "\r\n")
        record = await controller.import_rules(text, **ME)
        assert (record.number, record.parent, record.text) == (2, 1, text)
        assert scene.file.read_bytes().decode() == text
        assert scene.route().weight_in_force == 2000
        scene.pass_time(1)
        assert scene.version == 2

    async def test_a_bad_document_changes_nothing(
        self, scene: Scene, controller: Controller
    ) -> None:
        """Refused with its lines; neither file nor routing are touched."""
        with pytest.raises(RulesError, match=r"the document:1:1: .*upstreams"):
            await controller.import_rules("version: 1\n", **ME)
        assert (scene.version, scene.file.read_text()) == (1, RULES)

    async def test_the_second_of_two_imports_is_told(self, controller: Controller) -> None:
        """Neither overwrites what it has not seen."""
        await controller.import_rules(RULES + "# ada\n", author="ada", reason="mine")
        with pytest.raises(ConflictError, match=r"version 2 by now, not 1: ada .*mine"):
            await controller.import_rules(RULES + "# bob\n", **ME, expected_version=1)

    async def test_an_edit_of_the_file_during_an_import_is_not_lost(
        self, scene: Scene, controller: Controller
    ) -> None:
        """A file that is being written wins; the import is to be repeated."""
        scene.file.write_text(RULES + "# half of a")
        with pytest.raises(ConflictError, match="being edited"):
            await controller.import_rules(RULES + "# bob\n", **ME)

    async def test_a_revert_brings_back_the_document_and_leaves_the_rollback(
        self, scene: Scene, controller: Controller
    ) -> None:
        """Comments included; the record says which version, and what stays rolled back."""
        await controller.set_weight("plans", 5000, **ME)
        scene.outcomes(bad=20)
        record = await controller.revert(1, **ME)
        assert (record.text, record.rolled_back) == (RULES, ("plans",))
        assert record.evidence == {"reverted_to": 1, "still_rolled_back": ["plans"]}
        assert scene.route().weight_in_force == 0
        assert scene.file.read_text() == RULES

    async def test_a_revert_to_what_is_in_force_or_to_nothing(self, controller: Controller) -> None:
        """Both are refused, and say why."""
        with pytest.raises(RefusedError, match="in force already"):
            await controller.revert(1, **ME)
        with pytest.raises(NotFoundError, match="no version 7"):
            await controller.revert(7, **ME)

    async def test_an_edit_that_would_move_a_rolled_back_route_is_told(
        self, scene: Scene, controller: Controller
    ) -> None:
        """Not undone, and not in silence: the version and its decision name the route."""
        scene.outcomes(bad=20)
        scene.edit("weight: 10%", "weight: 30%")
        assert scene.route().weight_in_force == 0
        latest = (await controller.decisions())[0]
        assert latest.evidence == {"still_rolled_back": ["plans"]}
        assert "plans stays rolled back until it is resumed" in latest.reason
