"""The table of users."""

from sqlalchemy import CHAR, Boolean, Column, Date, Index, Integer, String, Table, func, text

from modern.infra.metadata import instant, metadata, stamp

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email", String(255), nullable=False),
    Column("name", String(255), nullable=False),
    Column("password_hash", String(255), nullable=False),
    Column("country", CHAR(2)),
    Column("phone", String(40)),
    Column("birthday", Date),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    instant("last_login_at"),
    stamp("created_at"),
    stamp("updated_at"),
    Column("payment_method", String(64)),
)

# Nobody has two mailboxes that differ in the case of a letter.
Index("uq_users_email_lower", func.lower(users.c.email), unique=True)
