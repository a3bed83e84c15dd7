from __future__ import annotations

import pytest

from deploy.stack.database import Database, identifier


def test_urls_name_the_driver_only_where_it_is_wanted() -> None:
    """The plain URL is for clients, the other for SQLAlchemy."""
    database = Database("postgresql", "127.0.0.1", 15432, "billing", "modern", "p")
    assert database.url == "postgresql://modern:p@127.0.0.1:15432/billing"
    assert database.sqlalchemy_url == "postgresql+asyncpg://modern:p@127.0.0.1:15432/billing"


def test_a_password_cannot_change_the_meaning_of_a_url() -> None:
    """Characters with a meaning in URLs are escaped."""
    database = Database("mysql", "127.0.0.1", 1, "b", "u", "a/b@c:d")
    assert database.url == "mysql://u:a%2Fb%40c%3Ad@127.0.0.1:1/b"


def test_a_database_shown_in_a_log_keeps_its_password() -> None:
    """The representation leaves the password out."""
    assert "hush" not in repr(Database("mysql", "h", 1, "n", "u", "hush"))


@pytest.mark.parametrize("name", ["", "a-b", "a b", "a'b", "1a", "A", "a`;DROP"])
def test_names_that_need_quoting_are_refused(name: str) -> None:
    """Only plain names reach SQL."""
    with pytest.raises(ValueError, match="plain name"):
        identifier(name)
