from __future__ import annotations

from proxy.serving.admission import Admission


def test_no_more_than_the_limit_at_once() -> None:
    """Whoever leaves makes room for one."""
    admission = Admission(2)
    assert [admission.enter() for _ in range(4)] == [True, True, False, False]
    admission.leave()
    assert (admission.enter(), admission.enter(), admission.in_flight) == (True, False, 2)
