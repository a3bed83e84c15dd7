"""The table of events: an outbox."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, text
from sqlalchemy.dialects.postgresql import JSONB

from modern.infra.metadata import instant, metadata

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("payload", JSONB, nullable=False),
    instant("happened_at", nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    instant("try_at", nullable=False),
    instant("told_at"),
    Column("failure", String(255)),
)

Index("idx_outbox_waiting", outbox.c.try_at, postgresql_where=text("told_at IS NULL"))
