from __future__ import annotations

import json
from pathlib import Path

from proxy.routing.json_schema import json_schema
from tests.support_commands import cutover


def test_the_schema_is_printed_or_written(tmp_path: Path) -> None:
    """JSON either way; a file that cannot be written is told."""
    file = tmp_path / "rules.schema.json"
    assert json.loads(cutover("schema").out) == json_schema()
    assert cutover("schema", "--output", str(file)).out == f"written to {file}\n"
    assert json.loads(file.read_text()) == json_schema()
    refused = cutover("schema", "--output", str(tmp_path))
    assert (refused.code, "Is a directory" in refused.err) == (1, True)
