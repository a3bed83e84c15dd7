from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from deploy.stack.process import marked
from deploy.stack.program import ROOT


def _pytest(file: Path, source: str) -> list[str]:
    file.write_text(source)
    return [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "-c",
        "pyproject.toml",
        str(file),
    ]


def test_a_skipped_test_is_a_failure(tmp_path: Path) -> None:
    """A test that skips itself, for want of a server perhaps, fails the run and says why."""
    source = "import pytest\n\ndef test_absent():\n    pytest.skip('no such server')\n"
    argv = _pytest(tmp_path / "test_it.py", source)
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no test may be skipped" in done.stdout
    assert "no such server" in done.stdout


def test_a_skipped_module_is_a_failure(tmp_path: Path) -> None:
    """The same holds for a module that skips all its tests while it is imported."""
    source = "import pytest\n\npytest.importorskip('no_such_module_anywhere')\n"
    argv = _pytest(tmp_path / "test_it.py", source)
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "no test may be skipped" in done.stdout


def test_a_run_that_is_terminated_takes_its_servers_down(tmp_path: Path) -> None:
    """SIGTERM, as `timeout` sends it, ends the session with its fixtures torn down."""
    seen = tmp_path / "run_dir"
    source = (
        "import time\nfrom pathlib import Path\n\n"
        "def test_long(stack, redis_server):\n"
        f"    Path({str(seen)!r}).write_text(str(stack.run_dir))\n"
        "    print('up', flush=True)\n"
        "    time.sleep(60)\n"
    )
    argv = [*_pytest(tmp_path / "test_it.py", source), "-s"]
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(argv, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert any("up" in line.split() for line in run.stdout)
        run.send_signal(signal.SIGTERM)
        rest = run.stdout.read()
    run_dir = Path(seen.read_text())
    assert "KeyboardInterrupt" in rest
    assert not run_dir.exists()
    assert marked(run_dir) == []
