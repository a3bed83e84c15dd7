"""Payments: cards of users, what was given back of charges, attempts, refunds, and the outbox.

Only adds, so that the application of the revision before goes on working on it.
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and create the three tables."""
    op.add_column("users", sa.Column("payment_method", sa.String(64)))
    _extend_billing_history()
    _create_payments()
    _create_refunds()
    _create_outbox()


def downgrade() -> None:
    """Drop what was added; what was paid and given back is forgotten."""
    for table in ("outbox", "refunds", "payments"):
        op.drop_table(table)
    op.drop_index("idx_billing_history_pending", "billing_history")
    op.drop_constraint(op.f("ck_billing_history_refunded_not_negative"), "billing_history")
    op.drop_column("billing_history", "payment_reference")
    op.drop_column("billing_history", "refunded_minor")
    op.drop_column("users", "payment_method")


def _instant(name: str, *, nullable: bool = True) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _extend_billing_history() -> None:
    zero = sa.text("0")
    op.add_column(
        "billing_history",
        sa.Column("refunded_minor", sa.Integer, nullable=False, server_default=zero),
    )
    op.add_column("billing_history", sa.Column("payment_reference", sa.String(64)))
    op.create_check_constraint(
        op.f("ck_billing_history_refunded_not_negative"), "billing_history", "refunded_minor >= 0"
    )
    # What was given back as a whole before there were parts.
    op.execute("UPDATE billing_history SET refunded_minor = amount_minor WHERE status = 'refunded'")
    op.create_index(
        "idx_billing_history_pending",
        "billing_history",
        ["id"],
        postgresql_where=sa.text("status = 'pending'"),
    )


def _create_payments() -> None:
    op.create_table(
        "payments",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("charge_id", sa.Integer, nullable=False),
        sa.Column("amount_minor", sa.Integer, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("method", sa.String(64), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("standing", sa.String(20), nullable=False),
        sa.Column("reference", sa.String(64)),
        sa.Column("code", sa.String(64)),
        _instant("asked_at", nullable=False),
        _instant("settled_at"),
        sa.PrimaryKeyConstraint("id", name="pk_payments"),
        sa.ForeignKeyConstraint(
            ["charge_id"], ["billing_history.id"], name="fk_payments_billing_history"
        ),
        sa.UniqueConstraint("key", name="uq_payments_key"),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_payments_amount_not_negative")),
    )
    op.create_index("idx_payments_charge_id", "payments", ["charge_id"])
    op.create_index(
        "uq_payments_asked",
        "payments",
        ["charge_id"],
        unique=True,
        postgresql_where=sa.text("standing = 'asked'"),
    )


def _create_refunds() -> None:
    op.create_table(
        "refunds",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("charge_id", sa.Integer, nullable=False),
        sa.Column("payment", sa.String(64), nullable=False),
        sa.Column("amount_minor", sa.Integer, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("client_key", sa.String(255)),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("standing", sa.String(20), nullable=False),
        sa.Column("reference", sa.String(64)),
        sa.Column("code", sa.String(64)),
        _instant("asked_at", nullable=False),
        _instant("settled_at"),
        sa.PrimaryKeyConstraint("id", name="pk_refunds"),
        sa.ForeignKeyConstraint(
            ["charge_id"], ["billing_history.id"], name="fk_refunds_billing_history"
        ),
        sa.UniqueConstraint("key", name="uq_refunds_key"),
        sa.UniqueConstraint("charge_id", "client_key", name="uq_refunds_charge_id"),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_refunds_amount_positive")),
    )
    op.create_index("idx_refunds_charge_id", "refunds", ["charge_id"])
    op.create_index(
        "idx_refunds_asked",
        "refunds",
        ["asked_at"],
        postgresql_where=sa.text("standing = 'asked'"),
    )


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("payload", postgresql.JSONB, nullable=False),
        _instant("happened_at", nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0")),
        _instant("try_at", nullable=False),
        _instant("told_at"),
        sa.Column("failure", sa.String(255)),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_index(
        "idx_outbox_waiting", "outbox", ["try_at"], postgresql_where=sa.text("told_at IS NULL")
    )
