from __future__ import annotations

from datetime import date

from shadow_compare.aside.wire import LENGTH, framed, said_in
from shadow_compare.compare import compare
from shadow_compare.normalize import Answer
from shadow_compare.rules import CompareRules

JSON = (("content-type", "application/json"),)
TODAY = date(2026, 3, 1)


def test_answers_rules_and_comparisons_arrive_as_they_were_sent() -> None:
    """Compiled or not, what is said holds all that comparing needs."""
    rules = CompareRules.build(
        ignore=[{"path": "$.at", "until": date(2026, 12, 1)}],
        equivalences=["int_bool", {"name": "float_precision", "units": 8}],
        tolerances=[{"path": "$.took", "within": "5"}],
        zone="Europe/Berlin",
    )
    old = Answer(200, JSON, b'{"at":1,"on":1,"took":1.5,"x":1}')
    new = Answer(200, JSON, b'{"at":2,"on":true,"took":2,"x":[2]}')
    found = compare(old, new, rules, TODAY)
    message = framed((old, new, rules, found))
    assert LENGTH.unpack(message[: LENGTH.size]) == (len(message) - LENGTH.size,)
    before, after, told, comparison = said_in(message[LENGTH.size :])
    assert (before.__reduce__(), after.__reduce__()) == (old.__reduce__(), new.__reduce__())
    assert comparison == found
    assert compare(before, after, told, TODAY) == found
