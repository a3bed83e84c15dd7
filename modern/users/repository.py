"""The SQL of users."""

from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from modern.users.domain import ProfileChanges, Registration, User
from modern.users.tables import users as table

# Neither the hash of the password nor the token of the card: what is not read cannot be shown.
_COLUMNS = [table.c[name] for name in User.__dataclass_fields__]


class UserRepository:
    """Users in the database, over the connection of one request."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, user_id: int) -> User | None:
        """Return the user or None."""
        rows = await self._connection.execute(select(*_COLUMNS).where(table.c.id == user_id))
        return _user(rows.one_or_none())

    async def after(self, last_id: int, limit: int) -> list[User]:
        """Return at most `limit` users with ids above `last_id`, by id."""
        statement = select(*_COLUMNS).where(table.c.id > last_id).order_by(table.c.id).limit(limit)
        rows = await self._connection.execute(statement)
        return [User(**row) for row in rows.mappings()]

    async def lock(self, user_id: int) -> bool:
        """Hold the user's row until the transaction ends; False when there is none.

        Whoever is about to check and then insert for a user takes this first, so that two
        requests for the same user run one after the other.
        """
        statement = select(table.c.id).where(table.c.id == user_id).with_for_update(key_share=True)
        rows = await self._connection.execute(statement)
        return rows.one_or_none() is not None

    async def add(self, registration: Registration, password_hash: str) -> User | None:
        """Insert a user and return it, or None when the e-mail address is taken.

        One statement: between a check and an insert somebody else could take the address.
        """
        statement = (
            insert(table)
            .values(
                email=registration.email,
                name=registration.name,
                password_hash=password_hash,
                country=registration.country,
                phone=registration.phone,
            )
            .on_conflict_do_nothing(index_elements=[func.lower(table.c.email)])
            .returning(*_COLUMNS)
        )
        return _user((await self._connection.execute(statement)).one_or_none())

    async def has_email(self, email: str) -> bool:
        """Return whether the address is taken, in whatever case."""
        statement = select(table.c.id).where(func.lower(table.c.email) == func.lower(email))
        return (await self._connection.execute(statement)).first() is not None

    async def change(self, user_id: int, changes: ProfileChanges) -> User | None:
        """Write what is given and return the user as it now is, or None."""
        statement = (
            update(table)
            .where(table.c.id == user_id)
            .values(**changes, updated_at=func.now())
            .returning(*_COLUMNS)
        )
        return _user((await self._connection.execute(statement)).one_or_none())


def _user(row: Row[Any] | None) -> User | None:
    return None if row is None else User(**row._mapping)  # noqa: SLF001 # SQLAlchemy's public name
