"""Which column becomes which: one line per column of the modern schema (pure).

The order of `TABLES` is the order of loading: parents before children.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from migration_tools.convert import (
    CalendarDate,
    Choice,
    Flag,
    Integer,
    JsonObject,
    Kind,
    LocalTime,
    Midnight,
    MinorUnits,
    NotConvertibleError,
    Nothing,
    Raw,
    Text,
    UtcTime,
    Value,
    converter,
)

RawRow = Sequence[Raw]
Row = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One target column, the source column it comes from, and what lies between the two."""

    target: str
    source: str | None
    kind: Kind
    nullable: bool = False
    null_as: Value = None  # what a null becomes when the target does not allow one
    secret: bool = False  # its value is never printed


@dataclass(frozen=True, slots=True)
class Reference:
    """A column whose value must be the key of a row in a parent table."""

    column: str
    parent: str


@dataclass(frozen=True, slots=True)
class Unique:
    """A column in which no two rows of the target may agree."""

    column: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Money:
    """The columns whose sums per currency must agree."""

    amount: str
    currency: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table on both sides; the name and the integer key are the same."""

    name: str
    columns: tuple[Column, ...]
    references: tuple[Reference, ...] = ()
    unique: tuple[Unique, ...] = ()
    money: Money | None = None
    key: str = "id"

    @property
    def target_columns(self) -> tuple[str, ...]:
        """The names of the target columns, in the order of a converted row."""
        return tuple(column.target for column in self.columns)

    @property
    def source_columns(self) -> tuple[str, ...]:
        """The source columns, each once, in the order of a raw row: the key is first."""
        names = (column.source for column in self.columns if column.source is not None)
        return tuple(dict.fromkeys((self.key, *names)))

    def column(self, target: str) -> Column:
        """Return the column with this target name; raise KeyError."""
        for column in self.columns:
            if column.target == target:
                return column
        raise KeyError(f"{self.name}.{target} is not in the mapping")


class RowRejectedError(ValueError):
    """A row cannot be converted: `column` of the source and the reason."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"{column} {reason}")
        self.column = column
        self.reason = reason


def row_converter(table: Table, zone: tzinfo) -> Callable[[RawRow], Row]:
    """Return the function from a raw row (source_columns) to a converted one (target_columns)."""
    position = {name: index for index, name in enumerate(table.source_columns)}
    cells = [
        (position[column.source] if column.source else 0, _cell(column, zone))
        for column in table.columns
    ]
    return lambda raw: tuple([cell(raw[index]) for index, cell in cells])


def _cell(column: Column, zone: tzinfo) -> Callable[[Raw], Value]:
    convert = converter(column.kind, zone)
    name, null_as = column.source or column.target, column.null_as
    null_allowed = column.nullable or null_as is not None

    def cell(raw: Raw) -> Value:
        try:
            value = None if raw is None else convert(raw)
        except NotConvertibleError as error:
            raise RowRejectedError(name, str(error)) from error
        if value is not None:
            return value
        if not null_allowed:
            raise RowRejectedError(name, "is null or a zero date, and the target requires a value")
        return null_as

    return cell


USERS = Table(
    "users",
    (
        Column("id", "id", Integer()),
        Column("email", "email", Text(255)),
        Column("name", "name", Text(255)),
        Column("password_hash", "password_hash", Text(255), secret=True),
        Column("country", "country", Text(2), nullable=True),
        Column("phone", "phone", Text(40), nullable=True),
        Column("birthday", "birthday", CalendarDate(), nullable=True),
        Column("is_active", "is_active", Flag()),
        Column("last_login_at", "last_login_at", LocalTime(), nullable=True),
        Column("created_at", "created_at", UtcTime()),
        Column("updated_at", "created_at", UtcTime()),
        Column("payment_method", "payment_method", Text(64), nullable=True, secret=True),
    ),
    unique=(Unique("email", ignore_case=True),),
)

PLANS = Table(
    "subscription_plans",
    (
        Column("id", "id", Integer()),
        Column("name", "name", Text(100)),
        Column("description", "description", Text(), null_as=""),
        Column("price_minor", "price", MinorUnits(at_least=0)),
        Column("currency", "currency", Text(3)),
        Column("billing_cycle", "billing_cycle", Choice(("monthly", "yearly"))),
        Column("trial_days", "trial_days", Integer()),
        Column("features", "features", JsonObject(), null_as="{}"),
        Column("is_active", "is_active", Flag()),
        Column("created_at", "created_at", UtcTime()),
        Column("updated_at", "created_at", UtcTime()),
    ),
    money=Money("price_minor", "currency"),
)

SUBSCRIPTIONS = Table(
    "subscriptions",
    (
        Column("id", "id", Integer()),
        Column("user_id", "user_id", Integer()),
        Column("plan_id", "plan_id", Integer()),
        Column("status", "status", Choice(("active", "cancelled", "past_due"))),
        Column("started_at", "created_at", UtcTime()),
        Column("next_billing_date", "next_billing_date", Midnight()),
        Column("cancelled_at", None, Nothing(), nullable=True),
        Column("trial_ends_at", None, Nothing(), nullable=True),
        Column("created_at", "created_at", UtcTime()),
        Column("updated_at", "created_at", UtcTime()),
    ),
    references=(Reference("user_id", "users"), Reference("plan_id", "subscription_plans")),
)

BILLING_HISTORY = Table(
    "billing_history",
    (
        Column("id", "id", Integer()),
        Column("subscription_id", "subscription_id", Integer()),
        Column("user_id", "user_id", Integer()),
        Column("amount_minor", "amount", MinorUnits()),
        Column("currency", "currency", Text(3)),
        Column("status", "status", Choice(("pending", "paid", "failed", "refunded"))),
        Column("description", "description", Text(255), null_as=""),
        Column("billed_at", "billed_at", LocalTime()),
        Column("paid_at", "paid_at", LocalTime(), nullable=True),
        Column("created_at", "billed_at", LocalTime()),
        Column("refunded_minor", "refunded_amount", MinorUnits(at_least=0), null_as=0),
        Column("payment_reference", "transaction_id", Text(64), nullable=True),
    ),
    references=(Reference("subscription_id", "subscriptions"), Reference("user_id", "users")),
    money=Money("amount_minor", "currency"),
)

TABLES = (USERS, PLANS, SUBSCRIPTIONS, BILLING_HISTORY)
