from __future__ import annotations

import sys
import types

import pytest

from proxy.settings import ServeSettings
from tests.support_commands import cutover


def test_serve_hands_its_settings_to_the_composition_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Options and variables become one value; the exit code is what serving gives."""
    seen: list[ServeSettings] = []
    told: list[str] = []
    bootstrap = types.ModuleType("proxy.bootstrap.serve")

    def serve(settings: ServeSettings, how: str) -> int:
        seen.append(settings)
        told.append(how)
        return 7

    monkeypatch.setattr(bootstrap, "serve", serve, raising=False)
    monkeypatch.setitem(sys.modules, "proxy.bootstrap.serve", bootstrap)
    environ = {"CUTOVER_ROLE": "data-plane", "CUTOVER_COMPILED": "0"}
    result = cutover("serve", "--workers", "3", environ=environ)
    assert result.code == 7
    assert (seen[0].workers, seen[0].role) == (3, "data-plane")
    assert told == ["the hot path runs as pure Python, as asked for"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--workers", "none"), "--workers: 'none' is not a whole number"),
        (("--compiled", "yes"), "--compiled: 'yes' is not one of auto, 1, 0"),
        (("--admin-listen", "0.0.0.0:8090"), "without authentication"),
    ],
)
def test_a_setting_that_cannot_be_used_is_exit_2(arguments: tuple[str, ...], words: str) -> None:
    """Nothing is started."""
    result = cutover("serve", *arguments)
    assert result.code == 2
    assert words in result.err
