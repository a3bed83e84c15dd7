from __future__ import annotations

from pathlib import Path

import grimp
import pytest

from deploy import compile as it
from deploy.compile import CompileError, compile_hot_path, hot_modules, inputs, main, source_of
from proxy.compiled import ROOT, Manifest


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Give who imports whom."""
    return grimp.build_graph("proxy", "shadow_compare", cache_dir=None)


def test_what_every_request_passes_is_compiled(graph: grimp.ImportGraph) -> None:
    """And what is read once for each version of the rules is not."""
    found = hot_modules(graph)
    for name in (
        "serving.downstream",
        "serving.exchange",
        "wire.parser",
        "routing.table",
        "outcome",
    ):
        assert f"proxy.{name}" in found
    assert {"shadow_compare.structure", "shadow_compare.json_proof"} < set(found)
    assert not {name for name in found if "schema" in name or "document" in name}
    assert not {name for name in found if name.startswith(("proxy.control", "proxy.admin"))}
    assert all(source_of(name).is_file() for name in found)


def test_a_build_depends_on_all_that_its_modules_import(graph: grimp.ImportGraph) -> None:
    """Also on what is not compiled itself: constants and types of it end up in the C code."""
    modules = hot_modules(graph)
    found = inputs(graph, modules)
    assert {str(source_of(name).relative_to(ROOT)) for name in modules} < set(found)
    assert {"proxy/routing/rules.py", "proxy/errors.py", "proxy/snapshot.py"} <= set(found)
    assert all((ROOT / path).is_file() for path in found)


def test_without_a_compiler_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is begun."""
    monkeypatch.setenv("CC", "no-such-compiler")
    assert main(["--can"]) == 1
    assert "apt-get install" in capsys.readouterr().err


def test_source_that_cannot_be_compiled_leaves_no_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the compiler said is the error; nothing of the attempt stays behind."""

    def refuse(*_: object, **__: object) -> None:
        raise SystemExit("proxy/wire/parser.py:1: error: no")

    monkeypatch.setattr(it, "mypycify", refuse)
    with pytest.raises(CompileError, match=r"parser\.py:1: error: no"):
        compile_hot_path(tmp_path / "builds" / "one")
    assert list((tmp_path / "builds").iterdir()) == []


def test_source_that_changes_meanwhile_gives_no_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digests were taken before; a build that claims them might hold later source."""
    monkeypatch.setattr(it, "_build", lambda _sources, _into: {"proxy.wire.parser": "parser.so"})
    monkeypatch.setattr(it, "digest", lambda _path: "of another moment")
    with pytest.raises(CompileError, match="has changed since it was compiled; try again"):
        compile_hot_path(tmp_path / "builds" / "one")
    assert list((tmp_path / "builds").iterdir()) == []


def test_a_new_build_takes_the_place_of_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole, and readable for the user that the proxy runs as; files in use stay as they were."""
    build = tmp_path / "builds" / "one"
    for number in ("1", "2"):
        monkeypatch.setattr(
            it, "_build", lambda _, into, n=number: {"m": (into / n).write_text(n) and n}
        )
        manifest = compile_hot_path(build)
        assert Manifest.read(build) == manifest
        assert (build / number).read_text() == number
    assert not (build / "1").exists()
    assert build.stat().st_mode & 0o777 == 0o755
    assert list((tmp_path / "builds").iterdir()) == [build]
