from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from deploy.stack.program import ROOT
from deploy.suite import FOLDERS, Part, Run, parts, run
from tests.support import eventually

GOOD = Part("good", (("echo", "said by good"),))
BAD = Part("bad", (("false",), ("echo", "never said")))


def _python(source: str) -> Part:
    return Part("python", ((sys.executable, "-c", source),))


def test_nothing_is_left_out() -> None:
    """A folder of tests is in the one part that names it, or else in the last."""
    *named, rest = parts(compiled=False)
    folders = [folder for one in FOLDERS.values() for folder in one]
    asked = [word for part in named for word in part.commands[0][3:]]
    assert asked == folders
    assert rest.commands[0][3:] == ("tests", *(f"--ignore={folder}" for folder in folders))
    assert len(set(folders)) == len(folders)
    assert all((ROOT / folder).is_dir() for folder in folders)


def test_the_compiled_form_is_tested_where_it_can_be_made() -> None:
    """After the tests of the source."""
    assert len(parts(compiled=False)[-1].commands) == 1
    assert parts(compiled=True)[-1].commands[-1][-1] == "test-compiled"


@pytest.mark.parametrize(
    ("all_parts", "status"),
    [([GOOD, GOOD], 0), ([GOOD, BAD], 1), ([BAD, GOOD], 1), ([GOOD, BAD, GOOD], 1)],
)
def test_one_failure_is_a_failure(
    all_parts: list[Part], status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whichever part it is in; the others are still shown, and it is said which has failed."""
    assert run(all_parts) == status
    said = capfd.readouterr().out
    assert said.count("said by good") == all_parts.count(GOOD)
    assert "never said" not in said
    assert len(re.findall(r"(?m)^bad .* FAILED \(1\)$", said)) == all_parts.count(BAD)
    assert len(re.findall(r"(?m)^good .* passed$", said)) == all_parts.count(GOOD)


@pytest.mark.parametrize(
    "part",
    [
        _python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"),
        Part("nothing", (("no-such-program",),)),
    ],
    ids=["killed", "missing"],
)
def test_a_part_that_cannot_say_how_it_ended_has_failed(part: Part) -> None:
    """Killed, or never begun."""
    assert run([GOOD, part]) == 1


def test_its_time_is_taken(capfd: pytest.CaptureFixture[str]) -> None:
    """By the clock, and of the processor with that of all children."""
    burn = "import time\nwhile time.process_time() < 0.6: pass"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    one = Run(_python(nested), None)
    ending = one.wait()
    assert ending.status == 0
    assert ending.cpu >= 0.6
    assert ending.wall >= 0.6
    assert capfd.readouterr().out == ""


def test_what_is_asked_to_end_may_clean_up(tmp_path: Path) -> None:
    """It gets SIGTERM, is waited for, and has failed whatever it says; nothing follows it."""
    up, clean, after = tmp_path / "up", tmp_path / "clean", tmp_path / "after"
    source = (
        "import signal, sys, time\nfrom pathlib import Path\n"
        "def end(*_):\n"
        f"    Path({str(clean)!r}).touch()\n    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        f"Path({str(up)!r}).touch()\ntime.sleep(60)\n"
    )
    part = Part("long", (*_python(source).commands, ("touch", str(after))))
    one = Run(part, None)
    eventually(up.exists)
    one.end()
    assert one.wait().status != 0
    assert clean.exists()
    assert not after.exists()
