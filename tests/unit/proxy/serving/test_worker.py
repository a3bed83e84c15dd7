from __future__ import annotations

from pathlib import Path

from proxy.observe.access_log import AccessLog
from proxy.serving.drain import Patience
from proxy.serving.mirror import Mirror
from proxy.serving.worker import Worker
from tests.support_exchange import Scene


async def test_a_reload_reaches_everything_that_is_read_once(tmp_path: Path) -> None:
    """The access log goes on in a new file; a part that fails stays as it was, and stops nobody."""
    target = tmp_path / "access.log"
    log = AccessLog(str(target))
    worker = Worker(Scene().plane, Mirror([]), log, [], tmp_path / "none", Patience())
    reloaded: list[str] = []

    def broken() -> None:
        raise OSError("no such certificate")

    worker.on_reload += [broken, lambda: reloaded.append("certificates")]
    target.unlink()
    worker.reload()
    log.record({"n": 1})
    await log.close()
    assert reloaded == ["certificates"]
    assert target.exists()
