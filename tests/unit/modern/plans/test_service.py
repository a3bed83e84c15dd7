from datetime import UTC, datetime

import orjson
from hypothesis import given
from hypothesis import strategies as st

from modern.money import Money
from modern.plans.domain import BillingCycle, Plan
from modern.plans.service import unpacked

FEATURES = st.dictionaries(st.text(max_size=8), st.integers(-1000, 1000) | st.text(max_size=8))


@given(
    st.builds(
        Plan,
        id=st.integers(1, 2**31 - 1),
        name=st.text(max_size=20),
        description=st.text(max_size=40),
        price=st.builds(Money, st.integers(0, 2**31 - 1), st.just("EUR")),
        billing_cycle=st.sampled_from(BillingCycle),
        trial_days=st.integers(0, 365),
        features=FEATURES,
        is_active=st.booleans(),
        created_at=st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 # a bound of the strategy, which adds the zone
    )
)
def test_a_plan_comes_out_of_the_cache_as_it_went_in(plan: Plan) -> None:
    """What a request reads from the cache is what it would have read from the database."""
    assert unpacked(orjson.loads(orjson.dumps(plan))) == plan
