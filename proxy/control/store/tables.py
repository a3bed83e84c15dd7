"""Tables of the control plane, in the types that SQLite and PostgreSQL share."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)

metadata = MetaData()

_number = BigInteger().with_variant(Integer, "sqlite")

versions = Table(
    "control_versions",
    metadata,
    Column("number", _number, primary_key=True, autoincrement=False),
    Column("parent", BigInteger, nullable=False),
    Column("at", Float, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("rolled_back", JSON, nullable=False),
    Column("kill_switch", Boolean, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("rollbacks", JSON, nullable=False),
    Column("write_halts", JSON, nullable=False, server_default=text("'{}'")),
    Column("progress", JSON, nullable=False, server_default=text("'{}'")),
    Column("host", Text, nullable=False, server_default=text("''")),
    Column("token", BigInteger, nullable=False, server_default=text("0")),
)
"""`host` and `token` say whose controller wrote a version, where there are many hosts."""

intervals = Table(
    "control_intervals",
    metadata,
    Column("number", _number, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("route", Text, nullable=False),
    Column("data", JSON, nullable=False),
    Index("ix_control_intervals_at", "at"),
    Index("ix_control_intervals_route", "route", "at"),
)
"""Outcomes of each route by the minute, for `simulate` and for charts."""

rollups = Table(
    "control_rollups",
    metadata,
    Column("number", _number, primary_key=True, autoincrement=True),
    Column("span", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("route", Text, nullable=False),
    Column("data", JSON, nullable=False),
    Index("ix_control_rollups_at", "span", "at"),
    Index("ix_control_rollups_route", "route", "span", "at", unique=True),
)
"""The same added up to longer intervals, of `span` seconds."""

evidence = Table(
    "control_evidence",
    metadata,
    Column("route", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("data", JSON, nullable=False),
)
"""What was measured of each route so far; `version` is the one in force when that was written."""

decisions = Table(
    "control_decisions",
    metadata,
    Column("id", _number, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("route", Text),
    Column("action", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("evidence", JSON, nullable=False),
    Index("ix_control_decisions_route", "route", "id"),
)
"""Ids are given by the controller, not the database: it goes on deciding while there is none."""

journal = Table(
    "control_journal",
    metadata,
    Column("number", _number, primary_key=True, autoincrement=False),
    Column("hash", Text, nullable=False),
    Column("entry", Text, nullable=False),
)
"""The hash chain over both; only ever appended to (see `proxy.control.chain`)."""

lease = Table(
    "control_lease",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("token", BigInteger, nullable=False),
    Column("host", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("until", Float, nullable=False),
)
"""One row: which host acts, until when by the database's clock, under which token."""

hosts = Table(
    "control_hosts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("place", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("seen", Float, nullable=False),
    Column("bus", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("problem", Text, nullable=False, server_default=text("''")),
    Column("keys", Text, nullable=False, server_default=text("''")),
)
"""Every proxy host, as it last said of itself."""
