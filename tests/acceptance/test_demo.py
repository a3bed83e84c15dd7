"""`make demo`, in its short form: the guided tour ends as it should."""

from __future__ import annotations

import subprocess
import sys

import pytest

from deploy.stack import Ports, Stack
from deploy.stack.process import marked
from deploy.stack.program import ROOT
from tests.support_proxy import proxy_folder

ACTS = ("Shadow", "declares", "The plan runs by itself", "Modern breaks", "Mended")
STEPS = ("10% after", "50% after", "90% after", "100% after")


@pytest.mark.timeout(240)
def test_the_tour_plays_to_its_end() -> None:
    """It starts everything, plays every act, tells where the console is, and exits with 0."""
    with proxy_folder() as folder:
        ports = Ports.free()
        ports.save(folder / "ports.json")
        argv = [sys.executable, "-m", "deploy.demo", "--hold", "3", "--compared", "100"]
        try:
            tour = subprocess.run(
                [*argv, "--run-dir", str(folder)],
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=200,
                check=False,
            )
        finally:
            Stack(folder, ports).down()
        assert tour.returncode == 0, tour.stdout + tour.stderr
        for act in (*ACTS, *STEPS):
            assert act in tour.stdout
        assert "none differ (at most" in tour.stdout
        assert "will be caught after about" in tour.stdout
        assert "Rolled back" in tour.stdout
        assert "errors seen by customers: 0" in tour.stdout
        assert f"http://127.0.0.1:{ports.console}" in tour.stdout
        assert marked(folder) == []
