"""How the clean API spells what all features share: money, pages, problems, ids."""

from typing import Annotated, Generic, Literal, Self, TypeVar

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from modern.money import Money

Item = TypeVar("Item", bound=BaseModel)

MAX_ID = 2**31 - 1

RowId = Annotated[int, Path(ge=1, le=MAX_ID, description="The number of the row.")]
After = Annotated[int, Query(ge=0, le=MAX_ID, description="Continue after this id.")]
Before = Annotated[int | None, Query(ge=1, le=MAX_ID, description="Continue before this id.")]
Limit = Annotated[int, Query(ge=1, le=100, description="How many items at most.")]


class Schema(BaseModel):
    """A frozen model that is read from the attributes of domain values."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class MoneySchema(Schema):
    """An amount in minor units (hundredths) of its currency."""

    minor: Annotated[int, Field(examples=[2900])]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["EUR"])]

    @classmethod
    def of(cls, money: Money) -> Self:
        """Spell an amount."""
        return cls(minor=money.minor, currency=money.currency)


class Page(BaseModel, Generic[Item]):
    """Some items, and where the next ones are; null when these are the last."""

    items: list[Item]
    next: str | None


class ProblemSchema(BaseModel):
    """Problem details (RFC 9457)."""

    type: Literal["about:blank"]
    title: Annotated[str, Field(examples=["Not Found"])]
    status: Annotated[int, Field(examples=[404])]
    detail: Annotated[str | None, Field(examples=["Plan not found"])] = None
    instance: Annotated[str, Field(examples=["/v1/plans/99"])]
    request_id: str | None = None
