"""The table of charges, under the name that the legacy application gave it."""

from sqlalchemy import (
    CHAR,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    text,
)

from modern.infra.metadata import instant, metadata, stamp
from modern.subscriptions.tables import subscriptions
from modern.users.tables import users

billing_history = Table(
    "billing_history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subscription_id", ForeignKey(subscriptions.c.id), nullable=False),
    Column("user_id", ForeignKey(users.c.id), nullable=False),
    Column("amount_minor", Integer, nullable=False),
    Column("currency", CHAR(3), nullable=False),
    Column("status", String(20), nullable=False),
    Column("description", String(255), nullable=False, server_default=text("''")),
    instant("billed_at", nullable=False),
    instant("paid_at"),
    stamp("created_at"),
    Column("refunded_minor", Integer, nullable=False, server_default=text("0")),
    Column("payment_reference", String(64)),
    CheckConstraint("refunded_minor >= 0", name="refunded_not_negative"),
)

Index("idx_billing_history_user_id", billing_history.c.user_id)
Index("idx_billing_history_subscription_id", billing_history.c.subscription_id)
# Few rows wait at any time, and every billing run looks for them.
Index(
    "idx_billing_history_pending",
    billing_history.c.id,
    postgresql_where=text("status = 'pending'"),
)
