"""The table of plans."""

from sqlalchemy import CHAR, Boolean, CheckConstraint, Column, Integer, String, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from modern.infra.metadata import metadata, stamp

subscription_plans = Table(
    "subscription_plans",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("description", Text, nullable=False, server_default=text("''")),
    Column("price_minor", Integer, nullable=False),
    Column("currency", CHAR(3), nullable=False),
    Column("billing_cycle", String(20), nullable=False),
    Column("trial_days", Integer, nullable=False, server_default=text("0")),
    Column("features", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    stamp("created_at"),
    stamp("updated_at"),
    CheckConstraint("price_minor >= 0", name="price_not_negative"),
)
