"""The hot path in compiled form: the same source, translated to C by mypyc, used where it matches.

`deploy/compile.py` makes a build, in a directory of its own and never beside the source. A build
lists the digest of every file that it was made from; if one of them differs by a byte, or the
interpreter is another, the build is not used. So what runs is always what stands in the source.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final

from proxy.errors import SettingsError

ROOT: Final = Path(__file__).resolve().parent.parent
"""What the paths of sources are relative to."""

BUILD: Final = ROOT / "build" / "compiled" / EXTENSION_SUFFIXES[0].strip(".").removesuffix(".so")
"""Where the build for this kind of interpreter and machine lies."""

MANIFEST: Final = "manifest.json"


class UnusableError(Exception):
    """There is no build that could be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a build says of itself.

    `python` is the interpreter's version, `modules` gives the file of each compiled module, and
    `sources` the SHA-256 of everything that they were compiled from, by path below the root.
    """

    python: str
    modules: Mapping[str, str]
    sources: Mapping[str, str]

    @staticmethod
    def read(build: Path) -> Manifest:
        """Read the manifest of a build; raises UnusableError."""
        try:
            plain = json.loads((build / MANIFEST).read_bytes())
            return Manifest(plain["python"], dict(plain["modules"]), dict(plain["sources"]))
        except FileNotFoundError:
            raise UnusableError("there is no compiled code") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UnusableError(f"the compiled code is damaged ({error!r})") from error

    def write(self, build: Path) -> None:
        """Write the manifest of a build."""
        plain = {"python": self.python, "modules": self.modules, "sources": self.sources}
        (build / MANIFEST).write_text(json.dumps(plain, indent=1, sort_keys=True) + "\n")

    def check(self, root: Path = ROOT) -> None:
        """Raise UnusableError unless interpreter and sources are those that were compiled."""
        if self.python != sys.version:
            raise UnusableError("the compiled code is for another Python")
        for path, wanted in self.sources.items():
            if digest(root / path) != wanted:
                raise UnusableError(f"{path} has changed since it was compiled")


def digest(path: Path) -> str:
    """Give the SHA-256 of a file in hex; of one that cannot be read, nothing that matches."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


class CompiledFinder(MetaPathFinder):
    """Finds the modules of one build before Python finds their source."""

    def __init__(self, build: Path, modules: Mapping[str, str]) -> None:
        self.modules: Final = {name: build / file for name, file in modules.items()}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - the import system passes it
        target: ModuleType | None = None,  # noqa: ARG002 - the import system passes it
    ) -> ModuleSpec | None:
        """Give the compiled module, or None for any other."""
        file = self.modules.get(fullname)
        return None if file is None else spec_from_file_location(fullname, file)


def use(wanted: str, build: Path = BUILD, root: Path = ROOT) -> str:
    """Choose what is imported from now on, and give a sentence about it for the log.

    `wanted` is `auto` (compiled if there is a build that matches the source), `1` (compiled, or
    SettingsError) or `0` (the source). Must come before the first import of the hot path.
    """
    if wanted == "0":
        return "the hot path runs as pure Python, as asked for"
    try:
        manifest = Manifest.read(build)
        manifest.check(root)
    except UnusableError as error:
        if wanted == "1":
            raise SettingsError(
                f"--compiled 1: {error}; run `make compiled`, or leave it to --compiled auto"
            ) from error
        return f"the hot path runs as pure Python: {error}"
    early = sorted(manifest.modules.keys() & sys.modules.keys())
    if early:
        raise RuntimeError(f"imported before it was chosen how: {', '.join(early)}")
    sys.meta_path.insert(0, CompiledFinder(build, manifest.modules))
    return f"the hot path runs compiled ({len(manifest.modules)} modules)"


def is_compiled(module: ModuleType) -> bool:
    """Whether this module runs in compiled form."""
    return (module.__file__ or "").endswith(tuple(EXTENSION_SUFFIXES))
