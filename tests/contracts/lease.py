"""What every lease must do, whatever keeps it; each implementation's tests inherit these."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from proxy.control.hosts.lease import Lease, Report
from proxy.errors import ConflictError

Pass = Callable[[float], Awaitable[None]]
"""Lets so many seconds pass on the database's clock."""


def host(name: str, *, place: str = "", bus: bool = True, version: int = 0) -> Report:
    """Give what a host says of itself."""
    return Report(name, place or f"place of {name}", f"http://{name}:8090", bus, version)


class LeaseContract:
    """Inherit, and give the fixtures `lease` (of nobody yet) and `let_pass`."""

    async def test_one_host_gets_it(self, lease: Lease) -> None:
        """The first to want it acts, under the first token; the next is told who does."""
        first = await lease.beat(host("a"), None, wants=True)
        second = await lease.beat(host("b"), None, wants=True)
        assert (first.granted, first.token, first.acting) == (True, 1, "a")
        assert (second.granted, second.token, second.acting) == (False, 1, "a")

    async def test_nobody_gets_it_unasked(self, lease: Lease) -> None:
        """A host that does not want to act only reports."""
        view = await lease.beat(host("a"), None, wants=False)
        assert (view.granted, view.token, view.acting) == (False, 0, None)
        assert [each.name for each in view.hosts] == ["a"]

    async def test_renewing_keeps_it(self, lease: Lease, let_pass: Pass) -> None:
        """Whoever renews in time goes on under the same token."""
        await lease.beat(host("a"), None, wants=True)
        for _ in range(3):
            await let_pass(2.0)
            assert (await lease.beat(host("a"), 1, wants=True)).granted
        assert not (await lease.beat(host("b"), None, wants=True)).granted

    async def test_another_takes_what_was_not_renewed(self, lease: Lease, let_pass: Pass) -> None:
        """After its end it goes to whoever asks, under a greater token, and is not given back."""
        await lease.beat(host("a"), None, wants=True)
        await let_pass(3.1)
        taken = await lease.beat(host("b"), None, wants=True)
        late = await lease.beat(host("a"), 1, wants=True)
        assert (taken.granted, taken.token, taken.acting) == (True, 2, "b")
        assert (late.granted, late.token, late.acting) == (False, 2, "b")

    async def test_late_but_alone(self, lease: Lease, let_pass: Pass) -> None:
        """Who was late, and nobody else came, goes on: nothing has happened in between."""
        await lease.beat(host("a"), None, wants=True)
        await let_pass(3.1)
        assert (await lease.beat(host("b"), None, wants=False)).acting is None
        assert (await lease.beat(host("a"), 1, wants=True)).acting == "a"

    async def test_released_it_is_free_at_once(self, lease: Lease) -> None:
        """Nobody waits for the end of a lease that was given back."""
        await lease.beat(host("a"), None, wants=True)
        await lease.release(1)
        assert (await lease.beat(host("b"), None, wants=True)).token == 2

    async def test_an_old_token_releases_nothing(self, lease: Lease) -> None:
        """Who was succeeded cannot take the lease from his successor."""
        await lease.beat(host("a"), None, wants=True)
        await lease.release(1)
        await lease.beat(host("b"), None, wants=True)
        await lease.release(1)
        assert (await lease.beat(host("b"), 2, wants=True)).granted

    async def test_a_restarted_process_takes_its_own_back(self, lease: Lease) -> None:
        """What a process of the same place held is free: one lock there lets only one live."""
        await lease.beat(host("a"), None, wants=True)
        again = await lease.beat(host("a"), None, wants=True)
        assert (again.granted, again.token) == (True, 2)

    async def test_a_token_known_elsewhere_is_exceeded(self, lease: Lease) -> None:
        """After a database was made anew the tokens go on above those that Redis has seen."""
        me = Report("a", "place", "http://a", bus=True, version=0, token=41)
        assert (await lease.beat(me, None, wants=True)).token == 42

    async def test_two_hosts_of_one_name(self, lease: Lease, let_pass: Pass) -> None:
        """The second is refused while the first is there, and takes the name over afterwards."""
        await lease.beat(host("a"), None, wants=False)
        with pytest.raises(ConflictError, match="a"):
            await lease.beat(host("a", place="elsewhere"), None, wants=True)
        await let_pass(3.1)
        assert (await lease.beat(host("a", place="elsewhere"), None, wants=True)).granted

    async def test_everybody_is_seen(self, lease: Lease, let_pass: Pass) -> None:
        """Who has reported is shown with what he said, and how long ago."""
        await lease.beat(host("a", bus=False, version=7), None, wants=False)
        await let_pass(3.1)
        view = await lease.beat(host("b", version=8), None, wants=False)
        a, b = view.hosts
        assert (a.name, a.url, a.bus, a.version, a.is_there) == (
            "a",
            "http://a:8090",
            False,
            7,
            False,
        )
        assert (b.name, b.bus, b.version, b.is_there) == ("b", True, 8, True)
