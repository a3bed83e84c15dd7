"""Finding the programs of the servers, and running the short commands that prepare them."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.stack.errors import CommandError, MissingProgramError

ROOT = Path(__file__).resolve().parents[2]
_SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"


def find(program: str, package: str, *folders: str) -> str:
    """Return the path of a program: in the folders given, on PATH, or in the system's places."""
    path = os.pathsep.join([*folders, os.environ.get("PATH", ""), _SYSTEM_PATH])
    found = shutil.which(program, path=path)
    if found is None:
        raise MissingProgramError(program, package)
    return found


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    cwd: Path = ROOT,
    timeout: float = 300,
) -> str:
    """Run a command to its end and return what it printed; raises CommandError when it fails."""
    done = subprocess.run(
        argv,
        env={**os.environ, **(env or {})},
        input=stdin or "",
        cwd=cwd,
        timeout=timeout,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise CommandError(" ".join(argv), done.returncode, done.stdout + done.stderr)
    return done.stdout


def is_root() -> bool:
    """Say whether we run as root, which several servers refuse to do."""
    return os.geteuid() == 0


@functools.cache
def can_unshare() -> bool:
    """Say whether a process may be given an ordinary user id in a user namespace of its own."""
    try:
        run(["unshare", "--map-user=1000", "--map-group=1000", "true"], timeout=10)
    except (CommandError, OSError):
        return False
    return True


def shown(path: Path) -> str:
    """Return a path as a person in the checkout would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
