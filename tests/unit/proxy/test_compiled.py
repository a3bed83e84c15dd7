from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from proxy.compiled import CompiledFinder, Manifest, UnusableError, digest, is_compiled, use
from proxy.errors import SettingsError
from proxy.serving import downstream

NAME = "hot_path_of_this_test"
EXTENSION = importlib.import_module("xxhash._xxhash")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a checkout with one source file."""
    (tmp_path / "hot.py").write_text("x = 1\n")
    return tmp_path


@pytest.fixture
def build(root: Path) -> Path:
    """Give a build of it. The compiled module is really another extension, but it is one."""
    found = root / "build"
    found.mkdir()
    library = found / f"{NAME}{EXTENSION_SUFFIXES[0]}"
    library.write_bytes(Path(str(EXTENSION.__file__)).read_bytes())
    sources = {"hot.py": digest(root / "hot.py")}
    Manifest(sys.version, {NAME: library.name}, sources).write(found)
    return found


@pytest.fixture(autouse=True)
def finders() -> Iterator[None]:
    """Leave the import system as it was."""
    before = list(sys.meta_path)
    yield
    sys.meta_path[:] = before


def test_a_build_of_this_very_source_is_used(build: Path, root: Path) -> None:
    """By `auto` and by `1`; its modules are found before any source."""
    for wanted in ("auto", "1"):
        assert use(wanted, build, root) == "the hot path runs compiled (1 modules)"
        assert isinstance(sys.meta_path[0], CompiledFinder)
        spec = importlib.util.find_spec(NAME)
        assert spec is not None
        assert spec.origin == str(build / f"{NAME}{EXTENSION_SUFFIXES[0]}")
    assert sys.meta_path[0].find_spec("hot", None) is None


def test_nothing_is_used_unasked(build: Path, root: Path) -> None:
    """`0` is the source, whatever has been built."""
    before = list(sys.meta_path)
    assert "pure Python, as asked for" in use("0", build, root)
    assert sys.meta_path == before


def test_a_build_of_another_source_is_never_used(build: Path, root: Path) -> None:
    """One byte, in a comment, in a file that is only imported, is enough."""
    (root / "hot.py").write_text("x = 1\n#")
    _is_refused(build, root, "hot.py has changed since it was compiled")


def test_a_build_whose_source_is_gone_is_never_used(build: Path, root: Path) -> None:
    """What was compiled from it may not exist any more."""
    (root / "hot.py").unlink()
    _is_refused(build, root, "hot.py has changed since it was compiled")


def test_a_build_for_another_interpreter_is_never_used(
    build: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that differs in its last number, or was built by another compiler."""
    monkeypatch.setattr(sys, "version", sys.version + " ")
    _is_refused(build, root, "for another Python")


def test_without_a_build_the_source_runs(tmp_path: Path) -> None:
    """As in a checkout in which nobody has compiled."""
    _is_refused(tmp_path / "build", tmp_path, "there is no compiled code")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"python": "", "modules": 1}'])
def test_a_damaged_build_is_never_used(build: Path, root: Path, text: str) -> None:
    """Whatever its manifest has become."""
    (build / "manifest.json").write_text(text)
    _is_refused(build, root, "damaged")


def test_a_manifest_that_cannot_be_read_is_none(build: Path, root: Path) -> None:
    """Such as a directory in its place."""
    (build / "manifest.json").unlink()
    (build / "manifest.json").mkdir()
    _is_refused(build, root, "damaged")


def test_it_is_too_late_when_the_source_has_been_imported(build: Path, root: Path) -> None:
    """Half of the one and half of the other form would run."""
    (build / "manifest.json").unlink()
    Manifest(sys.version, {"os": "os.so"}, {}).write(build)
    with pytest.raises(RuntimeError, match="imported before it was chosen how: os"):
        use("auto", build, root)


def test_a_module_knows_its_form() -> None:
    """The worker tells it to the controller, and this test session runs what it was asked to."""
    assert is_compiled(EXTENSION)
    assert not is_compiled(os)
    assert is_compiled(downstream) == (os.environ["CUTOVER_COMPILED"] == "1")


def _is_refused(build: Path, root: Path, words: str) -> None:
    before = list(sys.meta_path)
    told = use("auto", build, root)
    assert told.startswith("the hot path runs as pure Python: ")
    assert words in told
    with pytest.raises(SettingsError, match=r"--compiled 1: .*make compiled") as caught:
        use("1", build, root)
    assert isinstance(caught.value.__cause__, UnusableError)
    assert sys.meta_path == before


def test_the_command_line_imports_nothing_of_the_hot_path() -> None:
    """Else `serve` could not choose its form any more."""
    code = "import sys, proxy.__main__; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    hot = ("proxy.outcome", "proxy.routing.", "proxy.upstream.", "proxy.wire.", "shadow_compare.")
    assert [name for name in said.stdout.split() if name.startswith(hot)] == []
