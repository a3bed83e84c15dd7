"""Tables of the comparison store, in the types that SQLite and PostgreSQL share."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

_serial = BigInteger().with_variant(Integer, "sqlite")
"""SQLite gives numbers out for INTEGER primary keys only."""

signatures = Table(
    "comparison_signatures",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("route", String(200), nullable=False),
    Column("kinds", JSON, nullable=False),
    Column("paths", JSON, nullable=False),
    Column("critical", Boolean, nullable=False),
    Column("example_path", Text, nullable=False),
    Column("example_old", Text),
    Column("example_new", Text),
    Column("count", BigInteger, nullable=False),
    Column("first_seen", Float, nullable=False),
    Column("last_seen", Float, nullable=False),
    Column("first_version", BigInteger, nullable=False),
    Column("last_version", BigInteger, nullable=False),
    Index("ix_comparison_signatures_route", "route", "last_seen"),
)

samples = Table(
    "comparison_samples",
    metadata,
    Column("id", _serial, primary_key=True),
    Column(
        "signature",
        ForeignKey(signatures.c.id, ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("at", Float, nullable=False),
    Column("request_id", String(200), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("primary_side", String(10), nullable=False),
    Column("curl", Text, nullable=False),
    Column("primary_answer", JSON, nullable=False),
    Column("candidate_answer", JSON, nullable=False),
    Column("differences", JSON, nullable=False),
)

counts = Table(
    "comparison_counts",
    metadata,
    Column("route", String(200), primary_key=True),
    Column("minute", BigInteger, primary_key=True),
    Column("verdict", String(20), primary_key=True),
    Column("reason", String(40), primary_key=True),
    Column("count", BigInteger, nullable=False),
)
"""`minute` is Unix time divided by 60."""

fired = Table(
    "comparison_fired",
    metadata,
    Column("route", String(200), primary_key=True),
    Column("minute", BigInteger, primary_key=True),
    Column("rule", String(300), primary_key=True),
    Column("count", BigInteger, nullable=False),
)
"""How often each rule of a route was what made two answers the same."""
