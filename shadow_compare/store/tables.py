"""Tables of the comparison store, in the types that SQLite and PostgreSQL share.

An index carries what a page needs in the order it is shown, so that no page reads more rows than it
shows, however many there are: `python -m bench report` measures, and the tests of the store look
at the plans of the databases.
"""

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
    text,
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
    Column("compared_before", BigInteger, nullable=False, server_default="0"),
    Column("state", String(10), nullable=False, server_default="open"),
    Column("state_author", Text),
    Column("state_reason", Text),
    Column("state_at", Float),
    Column("state_version", BigInteger),
    Column("reopened", BigInteger, nullable=False, server_default="0"),
    Column("bytes", BigInteger, nullable=False, server_default="0"),
    Column("searched", Text, nullable=False, server_default=""),
)
"""`compared_before` is how many pairs of the route were compared before this was first seen,
`searched` what a search looks at (see `searched`); empty in rows of an earlier version."""

Index("ix_signatures_last_seen", signatures.c.last_seen, signatures.c.bytes)
for _narrowed in ((), ("route",), ("state",), ("route", "state")):
    Index(
        "_".join(("ix_signatures", *_narrowed, "rank")),
        *(signatures.c[name] for name in _narrowed),
        signatures.c.critical.desc(),
        signatures.c.count.desc(),
        signatures.c.id,
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
    Column("bytes", BigInteger, nullable=False, server_default="0"),
)
Index("ix_samples_age", samples.c.at, samples.c.id, samples.c.bytes)

occurrences = Table(
    "comparison_occurrences",
    metadata,
    Column("signature", ForeignKey(signatures.c.id, ondelete="CASCADE"), primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Index("ix_occurrences_start", "start"),
    sqlite_with_rowid=False,
)
"""How often each signature was seen, by the hour; `start` is its first minute since 1970."""

tallies = Table(
    "comparison_tallies",
    metadata,
    Column("grain", Integer, primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("route", String(200), primary_key=True),
    Column("method", String(20), primary_key=True),
    Column("status", String(3), primary_key=True),
    Column("verdict", String(20), primary_key=True),
    Column("reason", String(40), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Index("ix_tallies_route", "grain", "route", "start"),
    sqlite_with_rowid=False,
)
"""Comparisons in buckets of time (see `grain`); `status` is the class of the primary's, as 2xx."""

hits = Table(
    "comparison_hits",
    metadata,
    Column("grain", Integer, primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("route", String(200), primary_key=True),
    Column("rule", String(300), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Index("ix_hits_route", "grain", "route", "start"),
    sqlite_with_rowid=False,
)
"""How often each rule of a route was what made two answers the same, in buckets of time."""

totals = Table(
    "comparison_totals",
    metadata,
    Column("route", String(200), primary_key=True),
    Column("compared", BigInteger, nullable=False, server_default=text("0")),
)
"""Pairs of each route that were ever compared."""

write_permits = Table(
    "comparison_write_permits",
    metadata,
    Column("route", String(200), primary_key=True),
    Column("epoch", BigInteger, primary_key=True),
    Column("holder", String(300)),
    Column("since", Float, nullable=False),
    Column("acknowledged", BigInteger, nullable=False),
    Column("halted", Text),
)
"""`holder` is the id of the write that is under way, `halted` why there are no more."""

sent_writes = Table(
    "comparison_sent_writes",
    metadata,
    Column("id", String(300), primary_key=True),
    Column("at", Float, nullable=False, index=True),
)

evidence = Table(
    "comparison_evidence",
    metadata,
    Column("route", String(200), primary_key=True),
    Column("rules", String(16), primary_key=True),
    Column("what", String(20), primary_key=True),
    Column("path", String(300), primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("seen", Float, nullable=False),
    Column("count", BigInteger, nullable=False),
    Index("ix_evidence_seen", "seen"),
    sqlite_with_rowid=False,
)
"""How often each fact was seen (see `evidence`), under rules of this fingerprint."""
