from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from bench.mirror.measure import _turns, _without_mirror, counted
from bench.mirror.products import OFF, products
from bench.proxy.instance import Instance
from bench.proxy.products.site import Site, Variant


def test_a_request_that_is_never_answered_is_not_a_quick_one() -> None:
    """Else a product that answers one in a hundred would have the best percentile of all."""
    good = {"requests": 1000.0, "failed": 10.0, "p99_us": 1500.0}
    assert counted(good) == good
    assert counted(good | {"failed": 11.0})["p99_us"] == 10_000_000


@pytest.mark.parametrize(("number", "hopeless"), [(0, 0), (1, 2), (2, 2), (3, 0)])
def test_each_product_is_measured_twice_without_a_mirror(number: int, hopeless: int) -> None:
    """And what leaves everybody without an answer in the first rounds only."""
    site = Site(Path("x"), 1, 2, Variant(), None)
    states = {OFF: 0, "slow": 1, "refusing": 2, "dead": 3}
    instances = [Instance(each, site, Mock()) for each in products(states)]
    names = [name for name, _ in _turns(instances, number)]
    assert len(names) == len(set(names)) == len(instances) + 2 - 2 + hopeless
    assert {"cutover off", "cutover again", "nginx off", "nginx again"} < set(names)
    assert names[0] == _turns(instances, number)[0][0] != _turns(instances, number + 4)[0][0]


def test_a_state_is_compared_with_both_runs_without_a_mirror() -> None:
    """The second of these with the first, which is what the figures can be believed to."""
    p99 = {"cutover off": 1000.0, "cutover again": 4000.0, "cutover dead": 3000.0}
    found = {name: {"p99_us": value} for name, value in p99.items()}
    assert [_without_mirror(found, name) for name in found] == [1000.0, 1000.0, 2000.0]
