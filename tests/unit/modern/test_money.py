from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from modern.money import Money


@given(st.integers(min_value=-(10**15) + 1, max_value=10**15 - 1))
def test_the_number_is_written_as_the_exact_amount(minor: int) -> None:
    """Nobody is ever shown 9.899999999999999: no cent is lost on the way through JSON."""
    assert Decimal(repr(Money(minor, "EUR").as_number())) == Decimal(minor) / 100
