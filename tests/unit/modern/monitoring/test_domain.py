import pytest

from modern.monitoring.domain import Health


@pytest.mark.parametrize(
    ("database", "redis", "healthy"),
    [(True, True, True), (False, True, False), (True, False, False), (False, False, False)],
)
def test_well_is_who_has_all_its_dependencies(
    *, database: bool, redis: bool, healthy: bool
) -> None:
    """One missing dependency is enough to be unwell."""
    assert Health(database=database, redis=redis).is_healthy is healthy
