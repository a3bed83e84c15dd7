import pytest
from pydantic import ValidationError

from modern.infra.settings import MASK, Settings, async_url, read_settings

ENVIRONMENT = {
    "DATABASE_URL": "postgresql+asyncpg://billing:hush@db:5432/billing",
    "REDIS_URL": "redis://:hush@cache:6379/0",
    "SECRET_KEY": "hush-hush-hush-hush",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Give an environment with what is required and nothing else of ours."""
    for name in (
        "STRIPE_SECRET_KEY",
        "STRIPE_URL",
        "SMTP_URL",
        "MODERN_FAULTS",
        "CUTOVER_SHADOW_KEY",
    ):
        monkeypatch.delenv(name, raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.usefixtures("environment")
def test_settings_come_from_the_environment() -> None:
    """The three that are required are enough."""
    settings = read_settings()
    assert settings.database_url.get_secret_value() == ENVIRONMENT["DATABASE_URL"]
    assert settings.redis_url.get_secret_value() == ENVIRONMENT["REDIS_URL"]
    assert settings.stripe_secret_key is None
    assert not settings.modern_faults


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_what_is_missing_is_named(environment: pytest.MonkeyPatch, name: str) -> None:
    """Nothing starts with half its settings."""
    environment.delenv(name)
    with pytest.raises(ValidationError, match=name.lower()):
        read_settings()


@pytest.mark.usefixtures("environment")
def test_no_secret_is_ever_printed(environment: pytest.MonkeyPatch) -> None:
    """Neither the masked settings nor their repr hold a secret."""
    environment.setenv("STRIPE_SECRET_KEY", "sk_hush")
    environment.setenv("SMTP_URL", "smtp://shop:hush@mail")
    settings = read_settings()
    assert settings.get_masked_config() == {
        "database_url": MASK,
        "redis_url": MASK,
        "secret_key": MASK,
        "stripe_url": "https://api.stripe.com",
        "stripe_secret_key": MASK,
        "smtp_url": MASK,
        "mail_from": "billing@example.com",
        "billing_hour": None,
        "cutover_shadow_key": None,
        "modern_faults": False,
    }
    assert "hush" not in repr(settings)


@pytest.mark.usefixtures("environment")
def test_what_is_not_set_is_not_masked() -> None:
    """Whether there is a secret is no secret."""
    assert read_settings().get_masked_config()["stripe_secret_key"] is None


def test_a_short_key_is_refused(environment: pytest.MonkeyPatch) -> None:
    """A key that can be guessed is as bad as none, and is not shown in the refusal."""
    environment.setenv("SECRET_KEY", "tooshort")
    with pytest.raises(ValidationError) as refusal:
        read_settings()
    assert "secret_key" in str(refusal.value)
    assert "tooshort" not in str(refusal.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_the_driver_is_added(scheme: str) -> None:
    """The usual spellings of a PostgreSQL address all mean the same database."""
    assert async_url(f"{scheme}://u:p@h:5432/d") == "postgresql+asyncpg://u:p@h:5432/d"


@pytest.mark.parametrize("url", ["mysql://u:p@h/d", "sqlite:///d.db", "h:5432/d", ""])
def test_another_database_is_refused(url: str) -> None:
    """There is no driver for another."""
    with pytest.raises(ValueError, match=r"postgresql\+asyncpg://"):
        async_url(url)


def test_settings_cannot_be_changed() -> None:
    """What was read at the start holds to the end."""
    settings = Settings.model_validate({name.lower(): value for name, value in ENVIRONMENT.items()})
    with pytest.raises(ValidationError, match="frozen"):
        settings.modern_faults = True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STRIPE_URL", "ftp://processor"),
        ("SMTP_URL", "http://mail"),
        ("SMTP_URL", "smtp://"),
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM", "Shop <shop@example.com>"),
        ("BILLING_HOUR", "24"),
    ],
)
def test_what_makes_no_sense_is_refused(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """By the name of the setting, before anything is sent to the wrong place."""
    environment.setenv(name, value)
    with pytest.raises(ValidationError, match=name.lower()):
        read_settings()
