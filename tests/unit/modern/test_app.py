import re
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.requests import Request

from modern.app import ROUTES, create_app
from modern.failures import allowed
from modern.infra.settings import Settings

FACE = Path(__file__).parents[3] / "docs" / "billing-face.md"
ROW = re.compile(r"^\| ((?:`(?:GET|POST|PUT) [^`]+`(?:, )?)+) \|.*\| (yes|no)\b.*\|$", re.MULTILINE)
REQUEST = re.compile(r"`([A-Z]+) ([^`?]+)")


def documented(answer: str) -> list[tuple[str, str]]:
    """Return the requests of the document that modern serves (yes) or does not serve (no)."""
    cells = [cell for cell, served in ROW.findall(FACE.read_text()) if served == answer]
    return [found for cell in cells for found in REQUEST.findall(cell)]


def methods_of(path: str) -> list[str]:
    """Return the methods that the application has for a path of the document."""
    path = re.sub(r"\{\w+\}", "17", path)
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
    return allowed(ROUTES, Request(scope)).split(", ")


def test_the_document_is_read_whole() -> None:
    """Thirteen requests are served by this version, and five are not."""
    assert (len(documented("yes")), len(documented("no"))) == (13, 5)


@pytest.mark.parametrize(("method", "path"), documented("yes"))
def test_what_the_document_says_is_served_has_a_route(method: str, path: str) -> None:
    """The table of the face is true."""
    assert method in methods_of(path)


@pytest.mark.parametrize(("method", "path"), documented("no"))
def test_what_the_document_says_is_not_served_has_none(method: str, path: str) -> None:
    """A route that nobody knows of would never be compared."""
    assert method not in methods_of(path)


def test_an_application_is_made_without_a_connection() -> None:
    """Neither the database nor Redis need exist for it."""
    settings = Settings(
        database_url=SecretStr("postgresql://u:p@nowhere/d"),
        redis_url=SecretStr("redis://nowhere"),
        secret_key=SecretStr("x" * 16),
    )
    assert create_app(settings).title == "Billing core"
