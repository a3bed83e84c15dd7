"""The one catalogue of tables, and the columns that every table spells the same way."""

from datetime import datetime

from sqlalchemy import Column, DateTime, MetaData, func

# Constraints have predictable names, so that a later revision can drop them by name.
metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def instant(name: str, *, nullable: bool = True) -> Column[datetime]:
    """Return a column for a point in time; the zone is never left to be guessed."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def stamp(name: str) -> Column[datetime]:
    """Return an audit column that the database fills in when the row is written."""
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())
