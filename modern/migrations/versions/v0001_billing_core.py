"""The billing core: users, plans, subscriptions and their charges."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the four tables."""
    _create_users()
    _create_plans()
    _create_subscriptions()
    _create_billing_history()


def downgrade() -> None:
    """Drop the four tables, children first."""
    for table in ("billing_history", "subscriptions", "subscription_plans", "users"):
        op.drop_table(table)


def _stamp(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())


def _instant(name: str, *, nullable: bool = True) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _create_users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("email", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("country", sa.CHAR(2)),
        sa.Column("phone", sa.String(40)),
        sa.Column("birthday", sa.Date),
        sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.text("true")),
        _instant("last_login_at"),
        _stamp("created_at"),
        _stamp("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
    )
    op.create_index("uq_users_email_lower", "users", [sa.text("lower(email)")], unique=True)


def _create_plans() -> None:
    op.create_table(
        "subscription_plans",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("description", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("price_minor", sa.Integer, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("billing_cycle", sa.String(20), nullable=False),
        sa.Column("trial_days", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column(
            "features", postgresql.JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")
        ),
        sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.text("true")),
        _stamp("created_at"),
        _stamp("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_subscription_plans"),
        sa.CheckConstraint(
            "price_minor >= 0", name=op.f("ck_subscription_plans_price_not_negative")
        ),
    )


def _create_subscriptions() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("plan_id", sa.Integer, nullable=False),
        sa.Column("status", sa.String(20), nullable=False, server_default=sa.text("'active'")),
        _stamp("started_at"),
        _instant("next_billing_date", nullable=False),
        _instant("cancelled_at"),
        _instant("trial_ends_at"),
        _stamp("created_at"),
        _stamp("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_subscriptions"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_subscriptions_user"),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["subscription_plans.id"], name="fk_subscriptions_plan"
        ),
    )
    op.create_index("idx_subscriptions_user_id", "subscriptions", ["user_id"])
    op.create_index("idx_subscriptions_status", "subscriptions", ["status"])
    op.create_index("idx_subscriptions_next_billing", "subscriptions", ["next_billing_date"])


def _create_billing_history() -> None:
    op.create_table(
        "billing_history",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("subscription_id", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("amount_minor", sa.Integer, nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("description", sa.String(255), nullable=False, server_default=sa.text("''")),
        _instant("billed_at", nullable=False),
        _instant("paid_at"),
        _stamp("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_billing_history"),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name="fk_billing_history_subscriptions"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_billing_history_users"),
    )
    op.create_index("idx_billing_history_user_id", "billing_history", ["user_id"])
    op.create_index("idx_billing_history_subscription_id", "billing_history", ["subscription_id"])
