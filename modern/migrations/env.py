"""What Alembic runs: the revisions, over the async engine, on the database of DATABASE_URL."""

import asyncio
import logging.config
import os

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from modern.events.tables import outbox
from modern.infra.settings import async_url
from modern.payments.tables import payments

# Payments refer, by way of charges, to all other tables but the outbox: with the two of them
# imported, the catalogue is whole.
metadata = payments.metadata
assert outbox.metadata is metadata  # noqa: S101 # or its table would be dropped


def run_with(connection: Connection) -> None:
    """Run the revisions in one transaction: a failing one leaves nothing behind."""
    context.configure(connection=connection, target_metadata=metadata, compare_server_default=True)
    with context.begin_transaction():
        context.run_migrations()


async def run_online() -> None:
    """Connect and run the revisions."""
    engine = create_async_engine(async_url(os.environ["DATABASE_URL"]), poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run_with)
        await connection.commit()
    await engine.dispose()


def run_offline() -> None:
    """Print the SQL instead of running it (`alembic upgrade head --sql`)."""
    context.configure(
        dialect_name="postgresql",
        target_metadata=metadata,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
    )
    with context.begin_transaction():
        context.run_migrations()


if context.config.config_file_name is not None:
    logging.config.fileConfig(context.config.config_file_name, disable_existing_loggers=False)

if context.is_offline_mode():
    run_offline()
else:
    asyncio.run(run_online())
