"""The requests of users under /v1; reading only, until a login says who asks."""

from fastapi import APIRouter, Request

from modern.infra.paging import first_of, page_of
from modern.infra.resources import Held
from modern.infra.schemas import After, Limit, Page, RowId
from modern.users.schemas import UserSchema
from modern.users.service import UserService

router = APIRouter(tags=["users"])


@router.get("/v1/users")
async def list_users(
    request: Request, held: Held, after: After = 0, limit: Limit = 20
) -> Page[UserSchema]:
    """List users by id."""
    async with held.database.reading() as connection:
        found = await UserService(connection).after(after, limit + 1)
    users, more = first_of(found, limit)
    items = [UserSchema.model_validate(user) for user in users]
    return page_of(request, items, {"after": users[-1].id} if more else None)


@router.get("/v1/users/{user_id}")
async def read_user(user_id: RowId, held: Held) -> UserSchema:
    """Read one user."""
    async with held.database.reading() as connection:
        return UserSchema.model_validate(await UserService(connection).read(user_id))
