"""The settings: read once from the environment, frozen, and safe to print."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from modern.infra.mail import mail_server

MASK = "***MASKED***"


def async_url(url: str) -> str:
    """Return the URL with the asyncpg driver named; raises ValueError for another database."""
    scheme, found, rest = url.partition("://")
    if not found or scheme not in {"postgres", "postgresql", "postgresql+asyncpg"}:
        raise ValueError("must look like postgresql+asyncpg://user:password@host:port/database")
    return f"postgresql+asyncpg://{rest}"


def _with_driver(url: SecretStr) -> SecretStr:
    return SecretStr(async_url(url.get_secret_value()))


def _of_a_mail_server(url: SecretStr) -> SecretStr:
    mail_server(url.get_secret_value())
    return url


class Settings(BaseSettings):
    """What the environment says; raises `pydantic.ValidationError` naming what is missing."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,  # a secret that is refused is still a secret
    )

    database_url: Annotated[SecretStr, AfterValidator(_with_driver)]
    redis_url: SecretStr
    secret_key: Annotated[SecretStr, Field(min_length=16)]
    stripe_url: Annotated[str, Field(pattern=r"^https?://")] = "https://api.stripe.com"
    stripe_secret_key: SecretStr | None = None
    smtp_url: Annotated[SecretStr, AfterValidator(_of_a_mail_server)] | None = None
    mail_from: Annotated[str, Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$")] = "billing@example.com"
    # Not before the cut over: as long as legacy bills, a second run would bill everybody twice.
    billing_hour: Annotated[int, Field(ge=0, le=23)] | None = None
    cutover_shadow_key: Annotated[SecretStr, Field(min_length=32)] | None = None
    modern_faults: bool = False

    def get_masked_config(self) -> dict[str, Any]:
        """Return every setting with its secrets masked, fit for a log or a support ticket."""
        return {name: MASK if isinstance(value, SecretStr) else value for name, value in self}


def read_settings() -> Settings:
    """Return the settings of this process; raises `pydantic.ValidationError`."""
    return Settings()  # type: ignore[call-arg] # the fields come from the environment
