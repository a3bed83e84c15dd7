"""`make demo`, in its short form: the guided tour ends as it should, and the whole stack too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from deploy.stack import Ports, Stack
from deploy.stack.process import group_members, marked
from deploy.stack.program import ROOT
from tests.support_proxy import proxy_folder

ACTS = ("Shadow", "declares", "The plan runs by itself", "Modern breaks", "Mended")
STEPS = ("10% after", "50% after", "90% after", "100% after")


@pytest.mark.timeout(240)
def test_the_tour_plays_to_its_end() -> None:
    """It starts everything, plays every act, tells where the console is, and exits with 0.

    All that it has started is healthy then; and asked to end, all of it is gone: databases, Apache
    and the proxy with their workers, whatever groups they made.
    """
    with proxy_folder() as folder:
        ports = Ports.free()
        ports.save(folder / "ports.json")
        stack = Stack(folder, ports)
        try:
            said = _tour(folder)
            groups = _all_is_up(stack)
        finally:
            stack.down()
        for act in (*ACTS, *STEPS):
            assert act in said
        assert "none differ (at most" in said
        assert "will be caught after about" in said
        assert "Rolled back" in said
        assert "errors seen by customers: 0" in said
        assert f"http://127.0.0.1:{ports.console}" in said
        assert [group for group in groups if group_members(group)] == []
        assert marked(folder) == []


def _tour(folder: Path) -> str:
    """Take the tour; gives what it said."""
    argv = [sys.executable, "-m", "deploy.demo", "--hold", "3", "--compared", "100"]
    tour = subprocess.run(
        [*argv, "--run-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert tour.returncode == 0, tour.stdout + tour.stderr
    return tour.stdout


def _all_is_up(stack: Stack) -> list[int]:
    """See that proxy and console answer; gives the process groups of all servers."""
    assert all(one.healthy for one in stack.status())
    environment = stack.environment()
    answer = httpx.get(f"{environment['CUTOVER_PROXY_URL']}/api/plans")
    assert answer.json()["status"] == "ok"
    assert answer.headers["Cutover-Side"] in {"legacy", "modern"}
    assert httpx.get(environment["CUTOVER_ADMIN_URL"]).status_code == 200
    groups = [pid for server in stack.servers.values() if (pid := server.process.pid) is not None]
    assert len(groups) == 10
    return groups
