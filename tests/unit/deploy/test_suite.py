from __future__ import annotations

import re
import sys
import threading
from pathlib import Path

import pytest

from deploy.stack.program import ROOT
from deploy.suite import Part, Suite, parts, run
from tests.support import eventually


def _good(name: str = "good") -> Part:
    return Part(name, ("echo", f"said by {name}"))


def _bad(name: str = "bad") -> Part:
    return Part(name, ("false",))


def _python(source: str, name: str = "python") -> Part:
    return Part(name, (sys.executable, "-c", source))


def test_nothing_is_left_out() -> None:
    """A folder of tests is in the one part that names it, or else in the one for the rest."""
    words = {part.name: part.command[3:] for part in parts(compiled=False)}
    rest = words.pop("units, conformance and the rest")
    everything = [word for folders in words.values() for word in folders]
    named = [word for word in everything if not word.startswith("--ignore=")]
    ignored = {word for word in everything if word not in named}
    assert rest[0] == "tests"
    assert sorted(rest[1:]) == sorted(f"--ignore={folder}" for folder in named)
    assert len(set(named)) == len(named)
    assert all((ROOT / folder).exists() for folder in named)
    assert ignored == {f"--ignore={folder}" for folder in named if folder.endswith(".py")}


def test_the_compiled_form_is_tested_where_it_can_be_made() -> None:
    """As a part of its own."""
    more = set(parts(compiled=True)) - set(parts(compiled=False))
    assert [part.command[-1] for part in more] == ["test-compiled"]


@pytest.mark.parametrize("where", [None, 0, 1, 3, 4])
def test_one_failure_is_a_failure(where: int | None, capfd: pytest.CaptureFixture[str]) -> None:
    """Whichever part it is in; all others run and are shown, and it is said which has failed."""
    all_parts = [_bad() if number == where else _good(f"good-{number}") for number in range(5)]
    assert run(all_parts) == (where is not None)
    said = capfd.readouterr().out
    good = [part.name for part in all_parts if part.name != "bad"]
    for name in good:
        assert f"== {name}\nsaid by {name}\n" in said
    assert re.findall(r"(?m)^(\S+) .* passed$", said) == good
    assert re.findall(r"(?m)^(\S+) .* FAILED \(1\)$", said) == (
        ["bad"] if where is not None else []
    )


@pytest.mark.parametrize(
    "part",
    [
        _python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"),
        Part("nothing", ("no-such-program",)),
    ],
    ids=["killed", "missing"],
)
def test_a_part_that_cannot_say_how_it_ended_has_failed(part: Part) -> None:
    """Killed, or never begun."""
    assert run([_good(), part]) == 1


def test_its_time_is_taken() -> None:
    """By the clock, and of the processor with that of all children."""
    burn = "import time\nwhile time.process_time() < 0.6: pass"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    suite = Suite([_python(nested)])
    suite.run()
    ending = suite.endings["python"]
    assert ending.status == 0
    assert ending.cpu >= 0.6
    assert ending.wall >= 0.6


def test_what_is_asked_to_end_may_clean_up(tmp_path: Path) -> None:
    """It gets SIGTERM and is waited for; no other part is begun."""
    sources = []
    for number in range(3):
        clean, up = tmp_path / f"clean-{number}", tmp_path / f"up-{number}"
        source = (
            "import signal, sys, time\nfrom pathlib import Path\n"
            "def end(*_):\n"
            f"    Path({str(clean)!r}).touch()\n    sys.exit(0)\n"
            "signal.signal(signal.SIGTERM, end)\n"
            f"Path({str(up)!r}).touch()\ntime.sleep(60)\n"
        )
        sources.append(_python(source, f"long-{number}"))
    suite = Suite([*sources, _good()])
    running = threading.Thread(target=suite.run)
    running.start()
    eventually(lambda: len(list(tmp_path.glob("up-*"))) == 3)
    suite.end()
    running.join()
    assert set(suite.endings) == {part.name for part in sources}
    assert len(list(tmp_path.glob("clean-*"))) == 3
