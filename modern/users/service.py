"""What can be done with users: register, look at, change."""

import asyncio

from argon2 import PasswordHasher
from sqlalchemy.ext.asyncio import AsyncConnection

from modern.errors import Invalid, NotFound
from modern.users.domain import ProfileChanges, Registration, User
from modern.users.repository import UserRepository

# The library's defaults are the second recommended choice of RFC 9106, section 4: 64 MiB, 3 passes.
_HASHER = PasswordHasher()


async def hash_password(password: bytes) -> str:
    """Return the argon2id hash, made in a thread: it takes long on purpose."""
    return await asyncio.to_thread(_HASHER.hash, password)


class UserService:
    """Users, over the connection of one request."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._users = UserRepository(connection)

    async def register(self, registration: Registration, password_hash: str) -> User:
        """Add the user; raises Invalid when the e-mail address is taken."""
        user = await self._users.add(registration, password_hash)
        if user is None:
            raise Invalid({"email": "already taken"})
        return user

    async def is_taken(self, email: str) -> bool:
        """Return whether somebody has registered with this address, in whatever case."""
        return await self._users.has_email(email)

    async def read(self, user_id: int) -> User:
        """Return the user; raises NotFound."""
        return _known(await self._users.find(user_id))

    async def after(self, last_id: int, limit: int) -> list[User]:
        """Return at most `limit` users with ids above `last_id`, by id."""
        return await self._users.after(last_id, limit)

    async def change(self, user_id: int, changes: ProfileChanges) -> User:
        """Change what is given and return the user as it now is; raises NotFound."""
        if not changes:
            return await self.read(user_id)
        return _known(await self._users.change(user_id, changes))


def _known(user: User | None) -> User:
    if user is None:
        raise NotFound("User")
    return user
