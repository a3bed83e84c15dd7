"""The tables of payments and refunds: what the processor was asked, and what it said."""

from sqlalchemy import (
    CHAR,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from modern.billing.tables import billing_history
from modern.infra.metadata import instant, metadata

payments = Table(
    "payments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("charge_id", ForeignKey(billing_history.c.id), nullable=False),
    Column("amount_minor", Integer, nullable=False),
    Column("currency", CHAR(3), nullable=False),
    Column("method", String(64), nullable=False),
    Column("key", String(64), nullable=False),
    Column("standing", String(20), nullable=False),
    Column("reference", String(64)),
    Column("code", String(64)),
    instant("asked_at", nullable=False),
    instant("settled_at"),
    CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
    UniqueConstraint("key"),
)

Index("idx_payments_charge_id", payments.c.charge_id)
# At most one attempt per charge waits for an answer: the next is not begun before that is known.
Index(
    "uq_payments_asked",
    payments.c.charge_id,
    unique=True,
    postgresql_where=text("standing = 'asked'"),
)

refunds = Table(
    "refunds",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("charge_id", ForeignKey(billing_history.c.id), nullable=False),
    Column("payment", String(64), nullable=False),
    Column("amount_minor", Integer, nullable=False),
    Column("currency", CHAR(3), nullable=False),
    Column("client_key", String(255)),
    Column("key", String(64), nullable=False),
    Column("standing", String(20), nullable=False),
    Column("reference", String(64)),
    Column("code", String(64)),
    instant("asked_at", nullable=False),
    instant("settled_at"),
    CheckConstraint("amount_minor > 0", name="amount_positive"),
    UniqueConstraint("key"),
    UniqueConstraint("charge_id", "client_key"),
)

Index("idx_refunds_charge_id", refunds.c.charge_id)
Index("idx_refunds_asked", refunds.c.asked_at, postgresql_where=text("standing = 'asked'"))
