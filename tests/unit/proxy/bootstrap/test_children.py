from __future__ import annotations

from pathlib import Path

from proxy.bootstrap.children import children
from proxy.bootstrap.paths import StatePaths
from proxy.serving.claims import Claims, Papers
from proxy.serving.estate import Estate
from proxy.serving.notify import Notifier
from proxy.settings import serve_settings


def names(state: Path, **environ: str) -> list[str]:
    """Name the processes of an installation that is set so, and opens no port."""
    told = {f"CUTOVER_{key.upper()}": value for key, value in environ.items()}
    settings = serve_settings({"state": str(state)}, told)
    paths = StatePaths(settings.state)
    estate = Estate(
        claims=Claims(paths.state, (settings.role,)),
        papers=Papers(paths.state, settings.role),
        notifier=Notifier({}),
        kill=lambda: None,
    )
    return [child.name for child in children(settings, paths, estate, None)]


def test_a_host_that_only_compares_runs_shadow_workers(tmp_path: Path) -> None:
    """As many as it is told, and nothing that listens."""
    found = names(tmp_path, role="shadow", shadow_workers="3", bus="redis://127.0.0.1:6379/0")
    assert found == ["shadow worker 0", "shadow worker 1", "shadow worker 2"]


def test_keys_are_made_once_and_kept(tmp_path: Path) -> None:
    """What was signed before a restart is good after it."""
    names(tmp_path, role="shadow")
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.key")}
    names(tmp_path, role="shadow")
    assert before
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.key")} == before
