"""What operators do about plans: advance, hold, approve; and pins, which hold one identity.

To resume is the desk's: one verb ends a rollback and a hold. Every method returns when the change
is in force, and written down if the store allows.
"""

from __future__ import annotations

from typing import Any

from proxy.control.desk import Desk
from proxy.control.edit_pins import with_pin, without_pin
from proxy.control.next_power import power_told
from proxy.control.status import VersionRecord
from proxy.errors import RefusedError
from proxy.rollout.course import missing_on
from proxy.rollout.gate import words
from proxy.rollout.phase import Cause
from proxy.rollout.plan import Place, place_after, place_on
from proxy.routing.rules import Pin, RouteRules


class PlanDesk(Desk):
    """The operators' side of plans. Changes raise ConflictError, NotFoundError or RefusedError."""

    async def advance(
        self,
        route_id: str,
        *,
        author: str,
        reason: str,
        force: bool = False,
        expected_version: int | None = None,
    ) -> VersionRecord:
        """Take the next step of a route's plan now; with `force`, whatever its gate still needs.

        A plan on hold stays on hold where it comes to stand.
        """
        self.read_rules()
        self._expect(expected_version)
        route = self._route(route_id)
        self._allow(route, Cause.ADVANCE)
        to, missing = self._next_step(route)
        if missing and not force:
            raise RefusedError(
                f"the step of `{route_id}` still needs {'; '.join(missing)}; force it to advance"
                " before"
            )
        loaded = self._now.loaded
        if to.step.weight != route.weight:
            loaded = await self._write_weight(route_id, to.step.weight)
        live = self._in_force.live[route_id]
        evidence: dict[str, Any] = {
            "plan": route.plan,
            "step": to.number,
            "of": to.of,
            "previous": route.weight,
            "weight": to.step.weight,
            "forced": force,
            "missing": list(missing),
            "power": power_told(live, to.step.weight, self._clock.monotonic()),
        }
        because = self._because(author, reason, evidence)
        held = self._now.progress_of(route_id).held
        state = self._now.with_step(route_id, loaded, to.number - 1, because, held)
        self._in_force.commit(state, "advance", route_id, because)
        return await self._written()

    async def hold(
        self, route_id: str, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Keep a route's plan where it is until resumed; what rolls back, rolls back as before."""
        self._expect(expected_version)
        route = self._with_plan(route_id)
        held = self._now.progress_of(route.id).held
        if held is not None:
            raise RefusedError(
                f"the plan of `{route_id}` is on hold already, by {held.author} ({held.reason})"
            )
        because = self._because(author, reason, {"weight": route.weight})
        self._in_force.commit(self._now.with_hold(route_id, because), "hold", route_id, because)
        return await self._written()

    async def approve(
        self, route_id: str, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Agree to leave the step that a route stands on, once the rest of it is satisfied."""
        self._expect(expected_version)
        route = self._with_plan(route_id)
        progress = self._now.progress_of(route_id)
        place = place_on(self._steps_of(route), route.weight, progress.step)
        if self._now.rollback_of(route_id) is not None or place is None or not place.step.approval:
            raise RefusedError(f"`{route_id}` stands on no step that waits for an approval")
        if (given := progress.approved) is not None:
            raise RefusedError(
                f"{place} of `{route_id}` is approved already, by {given.author} ({given.reason})"
            )
        evidence = {"step": place.number, "of": place.of, "weight": route.weight}
        because = self._because(author, reason, evidence)
        state = self._now.with_approval(route_id, because)
        self._in_force.commit(state, "approve", route_id, because)
        return await self._written()

    async def pin(
        self, pin: Pin, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Hold one identity on one side, in the rules file too; instead of an earlier pin of it."""
        self.read_rules()
        self._expect(expected_version)
        for route_id in pin.routes:
            self._route(route_id)
        loaded = await self._edit(lambda rules, file: with_pin(rules, pin, file))
        evidence = {"identity": pin.identity, "side": pin.side.value, "routes": list(pin.routes)}
        because = self._because(author, reason, evidence)
        self._in_force.commit(self._now.with_rules(loaded, because), "pin", None, because)
        return await self._written()

    async def unpin(
        self, identity: str, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Let an identity go where its bucket sends it, in the rules file too."""
        self.read_rules()
        self._expect(expected_version)
        loaded = await self._edit(lambda rules, file: without_pin(rules, identity, file))
        because = self._because(author, reason, {"identity": identity})
        self._in_force.commit(self._now.with_rules(loaded, because), "unpin", None, because)
        return await self._written()

    def _next_step(self, route: RouteRules) -> tuple[Place, tuple[str, ...]]:
        """Give the step to come, and in words what the one stood on still waits for."""
        self._with_plan(route.id)
        steps, progress = self._steps_of(route), self._now.progress_of(route.id)
        to = place_after(steps, route.weight, progress.step)
        if to is None:
            raise RefusedError(f"`{route.id}` has no step left; it stands at the end of its plan")
        place = place_on(steps, route.weight, progress.step)
        if place is None:
            return to, ()
        live = self._in_force.live[route.id]
        now = self._clock.monotonic()
        standing = live.standing(now, self._in_force.position(route.id))
        return to, tuple(words(each, standing.pace) for each in missing_on(route, place, standing))

    def _with_plan(self, route_id: str) -> RouteRules:
        route = self._route(route_id)
        if not self._steps_of(route):
            raise RefusedError(f"`{route_id}` has no plan; its weight is set by hand")
        return route

    def _steps_of(self, route: RouteRules) -> Any:
        return self._in_force.live[route.id].steps
