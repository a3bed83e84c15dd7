from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from modern.events.domain import FIRST_PAUSE, LONGEST_PAUSE, next_try

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def test_pauses_double() -> None:
    """Half a minute, a minute, two minutes, four."""
    pauses = [next_try(tries, NOW) - NOW for tries in range(4)]
    assert pauses == [timedelta(seconds=30 * 2**tries) for tries in range(4)]


@given(st.integers(0, 10**6))
def test_a_pause_is_never_longer_than_six_hours(tries: int) -> None:
    """Nor shorter than the first."""
    assert FIRST_PAUSE <= next_try(tries, NOW) - NOW <= LONGEST_PAUSE
