import io
import json
from collections.abc import Iterator

import pytest
import structlog

from modern.infra.logging import configure_logging, get_logger


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Give what is written to standard output once logging is set up."""
    written = io.StringIO()
    monkeypatch.setattr("sys.stdout", written)
    before = structlog.get_config()
    configure_logging()
    yield written
    structlog.configure(**before)


def test_a_line_is_one_json_object(lines: io.StringIO) -> None:
    """Event, fields, level, time and the module that speaks."""
    get_logger("modern.plans").info("plans.warmed", count=4, name="Zoë")
    line = json.loads(lines.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "plans.warmed",
        "count": 4,
        "name": "Zoë",
        "level": "info",
        "module": "modern.plans",
    }


def test_a_failure_is_told_without_the_values_of_variables(lines: io.StringIO) -> None:
    """A traceback says where, and not which password was being hashed there."""
    password = "hush-hush"
    try:
        raise RuntimeError(len(password))
    except RuntimeError:
        get_logger("modern.users").exception("user.failed")
    assert "RuntimeError" in lines.getvalue()
    assert "hush" not in lines.getvalue()


def test_what_is_below_info_is_not_written(lines: io.StringIO) -> None:
    """Debugging is for those who ask for it."""
    get_logger("modern").debug("detail")
    assert lines.getvalue() == ""


def test_what_json_does_not_know_is_written_as_text(lines: io.StringIO) -> None:
    """No value can keep a line from being written."""
    get_logger("modern").info("odd", value=object)
    assert "class 'object'" in json.loads(lines.getvalue())["value"]
