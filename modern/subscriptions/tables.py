"""The table of subscriptions."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, text

from modern.infra.metadata import instant, metadata, stamp
from modern.plans.tables import subscription_plans
from modern.users.tables import users

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", ForeignKey(users.c.id, name="fk_subscriptions_user"), nullable=False),
    Column(
        "plan_id", ForeignKey(subscription_plans.c.id, name="fk_subscriptions_plan"), nullable=False
    ),
    Column("status", String(20), nullable=False, server_default=text("'active'")),
    stamp("started_at"),
    instant("next_billing_date", nullable=False),
    instant("cancelled_at"),
    instant("trial_ends_at"),
    stamp("created_at"),
    stamp("updated_at"),
)

Index("idx_subscriptions_user_id", subscriptions.c.user_id)
Index("idx_subscriptions_status", subscriptions.c.status)
Index("idx_subscriptions_next_billing", subscriptions.c.next_billing_date)
