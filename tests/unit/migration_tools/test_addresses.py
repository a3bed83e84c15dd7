import pytest

from migration_tools.addresses import (
    SOURCE_VARIABLE,
    TARGET_VARIABLE,
    SourceAddress,
    choose,
    source_address,
    target_address,
)
from migration_tools.errors import AddressError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (
            "mysql://legacy:p%40ss%2Fw@db:13306/legacy_billing",
            SourceAddress("db", 13306, "legacy", "p@ss/w", "legacy_billing"),
        ),
        (
            "mysql+aiomysql://legacy:secret@db/billing?charset=utf8mb4",
            SourceAddress("db", 3306, "legacy", "secret", "billing"),
        ),
        ("mariadb:///billing", SourceAddress("127.0.0.1", 3306, "root", "", "billing")),
        (
            "mysql://me@localhost/billing?unix_socket=/run/my.sock",
            SourceAddress("localhost", 3306, "me", "", "billing", "/run/my.sock"),
        ),
    ],
)
def test_source(text: str, address: SourceAddress) -> None:
    """The source's address is read, with escapes in the password and the usual defaults."""
    assert source_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://billing:secret@db:15432/billing",
        "postgresql+asyncpg://billing:secret@db:15432/billing",
        "postgres://billing:secret@db:15432/billing",
    ],
)
def test_target(text: str) -> None:
    """The target's address is accepted with or without SQLAlchemy's driver."""
    address = target_address(text)
    assert address.dsn == "postgresql://billing:secret@db:15432/billing"
    assert str(address) == "postgresql://billing:***@db:15432/billing"


def test_password_is_hidden() -> None:
    """Neither address shows its password."""
    assert str(source_address("mysql://u:secret@h:1/d")) == "mysql://u:***@h:1/d"
    assert "secret" not in str(target_address("postgresql://u:secret@h/d"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "legacy_billing",
        "mysql://u:secret@h:port/d",
        "mysql://u:secret@h:3306",
        "mysql://u:secret@h:3306/",
        "postgresql://u:secret@h/d",
        "mysql://u:secret@h/d?compress=1",
    ],
)
def test_unreadable_source(text: str) -> None:
    """What is not an address of a source is refused without repeating the password."""
    with pytest.raises(AddressError) as caught:
        source_address(text)
    assert "secret" not in str(caught.value)


def test_option_before_variable() -> None:
    """An address given as an option wins over the one in the environment."""
    environment = {SOURCE_VARIABLE: "from the environment"}
    assert choose("from the option", SOURCE_VARIABLE, environment) == "from the option"
    assert choose(None, SOURCE_VARIABLE, environment) == "from the environment"


def test_no_address() -> None:
    """Without an address the message names the option and the variable."""
    with pytest.raises(AddressError, match="give --target or set DATABASE_URL"):
        choose(None, TARGET_VARIABLE, {})
