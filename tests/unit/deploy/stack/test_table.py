from __future__ import annotations

from pathlib import Path

from deploy.stack.stack import Status
from deploy.stack.table import status_table


def test_a_line_for_every_server_in_columns() -> None:
    """The table tells up, not ready and down apart, and where each is."""
    table = status_table(
        [
            Status("legacy", "127.0.0.1:8081", 12, True, Path("/x/log/legacy.log")),
            Status("modern", "127.0.0.1:8082", 1234, False, Path("/x/log/modern.log")),
            Status("celery-beat", "", None, False, Path("/x/log/celery-beat.log")),
        ]
    )
    assert table.splitlines() == [
        "NAME         STATE      ADDRESS         PID   LOG",
        "legacy       up         127.0.0.1:8081  12    /x/log/legacy.log",
        "modern       not ready  127.0.0.1:8082  1234  /x/log/modern.log",
        "celery-beat  down       -               -     /x/log/celery-beat.log",
    ]
