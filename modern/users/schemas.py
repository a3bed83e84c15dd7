"""How users are spelt under /v1."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from modern.infra.schemas import Schema


class UserSchema(Schema):
    """Who subscribes and is billed."""

    id: Annotated[int, Field(examples=[17])]
    email: Annotated[str, Field(examples=["zoe@example.com"])]
    name: Annotated[str, Field(examples=["Zoë Krüger"])]
    country: Annotated[str | None, Field(examples=["DE"])]
    phone: str | None
    birthday: date | None
    is_active: bool
    last_login_at: datetime | None
    created_at: datetime
