"""`python -m deploy.compile`: translate the hot path to C with mypyc and build it below `build/`.

What is compiled is not a list to keep up: it is what an exchange can reach, so that a module that
is new on the hot path is compiled without being named. What it buys: docs/decisions/0013.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Final

import grimp
from mypyc.build import mypycify
from setuptools import Distribution
from setuptools.command.build_ext import build_ext

from proxy.compiled import BUILD, ROOT, Manifest, UnusableError, digest

STARTS: Final = ("proxy.serving.downstream", "shadow_compare.compare")
"""Where every exchange and every comparison begins: the hot path is what is reached from here."""

PACKAGES: Final = (
    "proxy.outcome",
    "proxy.routing.*",
    "proxy.serving.*",
    "proxy.upstream.*",
    "proxy.wire.*",
    "shadow_compare.*",
)
LEFT_OUT: Final = (
    "proxy.routing.document", "proxy.routing.node", "proxy.routing.schema*",
    "shadow_compare.difference", "shadow_compare.formats.*",
)  # fmt: skip
"""What is compiled, and what of that is not: the readers of rules, which run once a version; and
what mypyc cannot take: dataclasses that inherit fields, and tables made of sets and keys."""

SHARED: Final = "cutover_hot_path"
"""The name of the library that holds all compiled modules; each has a small file that opens it."""


class CompileError(Exception):
    """Nothing can be compiled here; the text says what is missing, or what is wrong."""


def hot_modules(graph: grimp.ImportGraph) -> list[str]:
    """Give the names of the modules to compile."""
    reached = set(STARTS).union(*map(graph.find_upstream_modules, STARTS))
    return sorted(
        name
        for name in reached
        if _is_one_of(name, PACKAGES)
        and not _is_one_of(name, LEFT_OUT)
        and source_of(name).name != "__init__.py"
    )


def inputs(graph: grimp.ImportGraph, modules: Iterable[str]) -> list[str]:
    """Give the paths of all that a build depends on.

    That is more than what is compiled: constants and types of what it imports end up in the C code.
    """
    reached = set(modules)
    for name in modules:
        reached |= graph.find_upstream_modules(name)
    return sorted(str(source_of(name).relative_to(ROOT)) for name in reached)


def source_of(module: str) -> Path:
    """Give the file of a module or package."""
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def compile_hot_path(build: Path = BUILD) -> Manifest:
    """Build the hot path; raises CompileError. A build that is in use is replaced, not changed."""
    graph = grimp.build_graph("proxy", "shadow_compare", cache_dir=None)
    modules = hot_modules(graph)
    sources = {path: digest(ROOT / path) for path in inputs(graph, modules)}
    build.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix="new-", dir=build.parent))
    try:
        files = _build([source_of(name) for name in modules], new)
        manifest = Manifest(sys.version, files, sources)
        try:
            manifest.check()
        except UnusableError as error:
            raise CompileError(f"{error}; try again") from error
        manifest.write(new)
        new.chmod(0o755)  # whoever runs the proxy must be able to read it
        _replace(build, new)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return manifest


def _is_one_of(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def _check_tools() -> None:
    header = Path(sysconfig.get_path("include")) / "Python.h"
    compiler = os.environ.get("CC") or (sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None or not header.exists():
        raise CompileError(
            f"a C compiler ({compiler}) and {header} are needed;"
            " on Debian: apt-get install --no-install-recommends gcc libc6-dev python3-dev"
        )


def _build(sources: Iterable[Path], into: Path) -> dict[str, str]:
    """Compile into a directory; gives the file of each module. Raises CompileError."""
    said = io.StringIO()
    scratch = into / "scratch"
    try:
        with contextlib.chdir(ROOT), contextlib.redirect_stdout(said):
            extensions = mypycify(
                ["--config-file", "pyproject.toml", *(str(s.relative_to(ROOT)) for s in sources)],
                opt_level="2",
                debug_level="0",
                multi_file=True,  # a C file for each module: compiled side by side, no slower
                target_dir=str(scratch),
                group_name=SHARED,
            )
            command = build_ext(Distribution({"name": "cutover", "ext_modules": extensions}))
            command.build_lib, command.build_temp = str(into), str(scratch)
            command.parallel = os.cpu_count() or 1
            command.ensure_finalized()
            command.run()
    except (SystemExit, Exception) as error:
        # mypyc ends the process when it does not understand the source; what it said is the reason.
        raise CompileError(f"{said.getvalue()}{error}") from error
    shutil.rmtree(scratch)
    return {e.name: e.name.replace(".", "/") + EXTENSION_SUFFIXES[0] for e in extensions}


def _replace(build: Path, new: Path) -> None:
    """Put a build in the place of the old one, whose files a running process may have open."""
    old = Path(tempfile.mkdtemp(prefix="old-", dir=build.parent))
    if build.exists():
        build.rename(old / "build")
    new.rename(build)
    shutil.rmtree(old)


def main(argv: Sequence[str] | None = None) -> int:
    """Compile unless it is done already; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m deploy.compile", description=__doc__)
    parser.add_argument("--force", action="store_true", help="compile even if nothing has changed")
    parser.add_argument("--can", action="store_true", help="only say whether it could be compiled")
    arguments = parser.parse_args(argv)
    try:
        _check_tools()
        if arguments.can:
            return 0
        if not arguments.force and _is_up_to_date():
            return 0
        print("compiling the hot path: about two minutes")
        manifest = compile_hot_path()
    except CompileError as error:
        print(f"compile: {error}", file=sys.stderr)
        return 1
    print(f"compiled {len(manifest.modules)} modules into {BUILD.relative_to(ROOT)}")
    return 0


def _is_up_to_date() -> bool:
    try:
        Manifest.read(BUILD).check()
    except UnusableError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
