from __future__ import annotations

from datetime import date

from shadow_compare.compare import compare_json
from shadow_compare.rules import CompareRules
from shadow_compare.signature import PLACES_MAX, Signature, signature_of


def signature(old: bytes, new: bytes, route: str = "plans") -> Signature:
    """Give the signature of comparing two JSON texts."""
    return signature_of(route, compare_json(old, new, CompareRules(), date(2026, 1, 1)))


def test_same_places_are_one_signature() -> None:
    """Other values and other rows at the same places belong together."""
    one = signature(b'{"data":[{"p":1},{"p":2}]}', b'{"data":[{"p":1},{"p":3}]}')
    other = signature(b'{"data":[{"p":7}]}', b'{"data":[{"p":8}]}')
    assert one == other
    assert one.kinds == ("value_changed",)
    assert one.paths == ("$.data[*].p",)


def test_other_kind_place_or_route_is_another_signature() -> None:
    """Route, kinds and places tell signatures apart."""
    one = signature(b'{"a":1}', b'{"a":2}')
    assert signature(b'{"a":1}', b'{"a":"1"}').id != one.id
    assert signature(b'{"b":1}', b'{"b":2}').id != one.id
    assert signature(b'{"a":1}', b'{"a":2}', route="users").id != one.id


def test_id_is_stable() -> None:
    """The id is the same in every process and version to come: links refer to it."""
    assert signature(b'{"a":1}', b'{"a":2}').id == "0849233a4f35c457"


def test_answers_that_differ_everywhere_have_a_bounded_signature() -> None:
    """A signature names a limited number of places."""
    old = b"{" + b",".join(b'"m%d":1' % i for i in range(500)) + b"}"
    found = signature(old, b"{}")
    assert len(found.places) == PLACES_MAX
