from __future__ import annotations

import json

from proxy.admin.endpoints import ENDPOINTS, PREFIX
from proxy.admin.openapi import SCHEMAS, document, expand


def test_every_endpoint_stands_in_the_document() -> None:
    """With its method, once."""
    described = {(m.upper(), p) for p, item in document()["paths"].items() for m in item}
    assert described == {(e.method, PREFIX + e.path) for e in ENDPOINTS}
    assert len({e.operation for e in ENDPOINTS}) == len(ENDPOINTS)


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    """No dangling names, no leftovers."""
    text = json.dumps(document())
    used = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert used == set(SCHEMAS)


def test_changes_take_if_match_and_reads_do_not() -> None:
    """The header is documented where it counts."""
    for endpoint in ENDPOINTS:
        operation = document()["paths"][PREFIX + endpoint.path][endpoint.method.lower()]
        names = [parameter["name"] for parameter in operation["parameters"]]
        assert ("If-Match" in names) == (
            endpoint.takes is not None
            and endpoint.operation
            not in (
                "explain",
                "fix_difference",
                "check_rules",
                "add_account",
                "give_role",
                "remove_account",
                "start_replay",
                "stop_replay",
            )
        )


def test_the_shorthand_is_written_out() -> None:
    """Objects are closed unless they say `*`, `?` makes a member optional or a value nullable."""
    schema = expand({"a": "integer?", "b?": ["string"], "*": "integer"})
    assert schema["required"] == ["a"]
    assert schema["properties"]["a"] == {"oneOf": [{"type": "integer"}, {"type": "null"}]}
    assert schema["properties"]["b"] == {"type": "array", "items": {"type": "string"}}
    assert schema["additionalProperties"] == {"type": "integer"}
    assert expand({"a": "integer"})["additionalProperties"] is False
