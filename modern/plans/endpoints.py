"""The requests of plans under /v1."""

from fastapi import APIRouter

from modern.infra.resources import Held
from modern.infra.schemas import RowId
from modern.plans.schemas import PlanSchema, PlansSchema
from modern.plans.service import PlanService

router = APIRouter(tags=["plans"])


@router.get("/v1/plans")
async def list_plans(held: Held) -> PlansSchema:
    """List the plans on sale."""
    plans = await PlanService(held.database, held.cache).on_sale()
    return PlansSchema(items=[PlanSchema.model_validate(plan) for plan in plans])


@router.get("/v1/plans/{plan_id}")
async def read_plan(plan_id: RowId, held: Held) -> PlanSchema:
    """Read one plan, on sale or not."""
    plan = await PlanService(held.database, held.cache).read(plan_id)
    return PlanSchema.model_validate(plan)
