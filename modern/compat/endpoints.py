"""The requests of this face, each answered as docs/billing-face.md says."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import Response

from modern.billing.domain import ChargeStatus
from modern.billing.service import BillingService
from modern.compat import envelope, fields, spelling
from modern.compat.php import parse_body, row_id
from modern.compat.query import Query, wanted_history, wanted_subscriptions
from modern.errors import Invalid
from modern.infra.resources import Held
from modern.monitoring.service import MonitoringService
from modern.payments import flow
from modern.payments.service import PaymentService
from modern.plans.service import PlanService
from modern.subscriptions.domain import Subscription
from modern.subscriptions.service import SubscriptionService
from modern.users.service import UserService, hash_password


class RowIds(Convertor[int]):
    """Ids in paths: digits of any length, as the legacy application takes them."""

    regex = "[0-9]+"

    def convert(self, value: str) -> int:
        """Read an id."""
        return row_id(value)

    def to_string(self, value: int) -> str:
        """Write an id."""
        return str(value)


register_url_convertor("row", RowIds())

# Not in the OpenAPI description: this face is described by its contract, and is to go away.
router = APIRouter(include_in_schema=False)


def _get(path: str) -> Callable[..., Any]:
    return router.api_route(path, methods=["GET", "HEAD"])


@_get("/health")
async def health(held: Held) -> Response:
    """Answer 200 when fit to serve, and 503 when not."""
    found = await MonitoringService(held).health()
    content: spelling.Json = {
        "status": "healthy" if found.is_healthy else "unhealthy",
        "database": "ok" if found.database else "error",
        "redis": "ok" if found.redis else "error",
        "app": "modern",
        "timestamp": spelling.instant(held.now()),
    }
    return envelope.answer(content, 200 if found.is_healthy else 503)


@_get("/api/plans")
async def list_plans(held: Held) -> Response:
    """Answer with the plans on sale."""
    plans = await PlanService(held.database, held.cache).on_sale()
    meta = {"total": len(plans), "generated_at": spelling.instant(held.now())}
    return envelope.listing([spelling.plan(plan) for plan in plans], meta)


@_get("/api/plans/{plan_id:row}")
async def show_plan(plan_id: int, held: Held) -> Response:
    """Answer with one plan, on sale or not."""
    plan = await PlanService(held.database, held.cache).read(plan_id)
    return envelope.success(spelling.plan(plan))


@router.post("/api/users")
async def create_user(request: Request, held: Held) -> Response:
    """Register a user."""
    registration, password, errors = fields.read_registration(await _fields(request))
    if errors:
        raise Invalid(await _with_taken(registration.email, errors, held))
    password_hash = await hash_password(password)
    async with held.database.writing() as connection:
        user = await UserService(connection).register(registration, password_hash)
    held.metrics.users_registered.inc()
    return envelope.success(spelling.user(user), 201)


async def _with_taken(email: str, errors: fields.Errors, held: Held) -> fields.Errors:
    """Return the errors, and that the address is taken: all is told at once, that first."""
    if "email" in errors:
        return errors
    async with held.database.reading() as connection:
        taken = await UserService(connection).is_taken(email)
    return {"email": "already taken", **errors} if taken else errors


@_get("/api/users/{user_id:row}")
async def show_user(user_id: int, held: Held) -> Response:
    """Answer with one user."""
    async with held.database.reading() as connection:
        user = await UserService(connection).read(user_id)
    return envelope.success(spelling.user(user))


@router.put("/api/users/{user_id:row}")
async def change_user(user_id: int, request: Request, held: Held) -> Response:
    """Change the name, country and phone of a user, those that are given."""
    changes, errors = fields.read_profile_changes(await _fields(request))
    async with held.database.writing() as connection:
        users = UserService(connection)
        if errors:
            await users.read(user_id)  # that there is no such user is told before what is wrong
            raise Invalid(errors)
        user = await users.change(user_id, changes)
    return envelope.success(spelling.user(user))


@_get("/api/subscriptions")
async def list_subscriptions(request: Request, held: Held) -> Response:
    """Answer with a page of subscriptions, by user and status if asked."""
    query = Query(request.url.query)
    wanted = wanted_subscriptions(query)
    found: list[Subscription] = []
    total = 0
    if wanted.where is not None:
        async with held.database.reading() as connection:
            found, total = await SubscriptionService(connection).page(
                wanted.where, offset=query.offset, limit=envelope.PER_PAGE
            )
    meta = envelope.page_meta(query.page, total, held.now()) | {"filters": wanted.filters}
    return envelope.listing([spelling.subscription(one) for one in found], meta)


@_get("/api/subscriptions/{subscription_id:row}")
async def show_subscription(subscription_id: int, held: Held) -> Response:
    """Answer with one subscription, and where its charges are."""
    async with held.database.reading() as connection:
        found = await SubscriptionService(connection).read(subscription_id)
    history_url = f"/api/billing/history?user_id={found.user_id}"
    return envelope.success(spelling.subscription(found) | {"history_url": history_url})


@router.post("/api/subscriptions")
async def create_subscription(request: Request, held: Held) -> Response:
    """Subscribe a user to a plan."""
    given = await _fields(request)
    errors: fields.Errors = {}
    user_id = fields.id_field(given, "user_id", errors)
    plan_id = fields.id_field(given, "plan_id", errors)
    async with held.database.writing() as connection:
        subscriptions = SubscriptionService(connection)
        if user_id is None or plan_id is None:
            errors |= await subscriptions.unknown(user_id, plan_id)
            raise Invalid({name: errors[name] for name in ("user_id", "plan_id") if name in errors})
        begun = await subscriptions.subscribe(user_id, plan_id, held.now())
    held.metrics.subscriptions_created.inc()
    return envelope.success(spelling.subscription(begun), 201)


@router.post("/api/subscriptions/{subscription_id:row}/cancel")
async def cancel_subscription(subscription_id: int, held: Held) -> Response:
    """Cancel a subscription."""
    async with held.database.writing() as connection:
        cancelled = await SubscriptionService(connection).cancel(subscription_id, held.now())
    held.metrics.subscriptions_cancelled.inc()
    return envelope.success(spelling.subscription(cancelled))


@_get("/api/billing/history")
async def list_history(request: Request, held: Held) -> Response:
    """Answer with a page of a user's charges, the newest first."""
    query = Query(request.url.query)
    user_id = wanted_history(query)
    async with held.database.reading() as connection:
        charges, total = await BillingService(connection).page(
            user_id, offset=query.offset, limit=envelope.PER_PAGE
        )
    meta = envelope.page_meta(query.page, total, held.now())
    return envelope.listing([spelling.charge(one) for one in charges], meta)


@router.post("/api/billing/run")
async def run_billing(request: Request, held: Held) -> Response:
    """Bill the cycles that are due, and charge what is pending."""
    wanted, errors = fields.read_run(await _fields(request))
    if errors:
        raise Invalid(errors)
    run = await flow.run_billing(held, wanted.subscription_id, wanted.limit)
    return envelope.success(
        {
            "billed": run.billed,
            "paid": run.count(ChargeStatus.PAID),
            "failed": run.count(ChargeStatus.FAILED),
            "charges": [spelling.charge(one) for one in run.charges],
        }
    )


@router.post("/api/payments/{charge_id:row}/refund")
async def refund_payment(charge_id: int, request: Request, held: Held) -> Response:
    """Give what was paid back, or a part of it."""
    errors: fields.Errors = {}
    amount = fields.amount_field(await _fields(request), "amount", errors)
    if errors:
        # What speaks against any refund is told before what is wrong with this one.
        async with held.database.reading() as connection:
            await PaymentService(connection).check_refundable(charge_id)
        raise Invalid(errors)
    client_key = request.headers.get("idempotency-key") or None
    charge = await flow.refund(held, charge_id, amount, client_key)
    return envelope.success(spelling.charge(charge))


async def _fields(request: Request) -> dict[str, object]:
    return parse_body(request.headers.get("content-type", ""), await request.body())
