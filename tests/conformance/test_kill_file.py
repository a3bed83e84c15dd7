"""The kill switch as a file: with no controller there at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import eventually_async
from tests.support_plane import Client, running

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def side(client: Client, path: str = "/m/x") -> str | None:
    """Ask for what modern serves; give who answered."""
    await client.send([f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode()])
    return (await client.answer()).get("cutover-side")


async def test_it_holds_until_it_is_removed(tmp_path: Path) -> None:
    """Live connections included; the access log says why, and new rules do not end it."""
    async with running(tmp_path) as rig:
        client = await rig.client()
        assert await side(client) == "modern"
        (tmp_path / "kill").touch()

        async def legacy_serves() -> bool:
            return await side(client) == "legacy"

        await eventually_async(legacy_serves)
        assert rig.log.lines[-1]["reason"] == "kill_switch"
        assert rig.plane.table is not None
        assert rig.plane.table.kill_switch
        rig.rules(rig.document(upstreams={}))
        assert await side(client) == "legacy"
        (tmp_path / "kill").unlink()

        async def modern_serves() -> bool:
            return await side(client) == "modern"

        await eventually_async(modern_serves)


async def test_it_holds_from_the_first_request_on(tmp_path: Path) -> None:
    """A worker that is started under it never asks modern."""
    (tmp_path / "kill").touch()
    async with running(tmp_path) as rig:
        assert await side(await rig.client()) == "legacy"
