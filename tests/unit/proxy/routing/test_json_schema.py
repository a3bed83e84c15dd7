from __future__ import annotations

import copy
import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import Draft7Validator, meta

from proxy.errors import RulesError
from proxy.routing import node
from proxy.routing.json_schema import json_schema
from proxy.routing.node import Node
from proxy.routing.schema import load_rules, rules_from_plain
from tests.support_docs import DOCS, ROOT, blocks, read

SCHEMA = json_schema()
VALIDATOR = Draft7Validator(SCHEMA)
(EXAMPLE,) = [text for text in blocks(read("routing-rules.md"), "yaml") if "defaults:" in text]
DOCUMENT, _ = load_rules(EXAMPLE, "docs/routing-rules.md")

Place = tuple[str | int, ...]

JUNK: tuple[Any, ...] = (
    None, True, 7, -1, 0.5, 10**12, "", " ", "x", "none", "10%", "2s", "20/s", "1MB", "1MB/s",
    "2027-03-01", "$.a", "/x", [], ["x"], [7], {}, {"x": 1},
)  # fmt: skip


@pytest.fixture
def shape_faults(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect what the readers' own node finds wrong: the kind of a value, keys, bounds.

    What they check beyond that, such as a plan that must be defined, no schema can say; nor that a
    number before a unit is not too large.
    """
    found: list[str] = []
    problem, unknown_key = Node.problem, Node.unknown_key

    def noting(self: Node, message: str, suggestion: str = "") -> None:
        if sys._getframe(1).f_globals["__name__"] == node.__name__ and "must lie" not in message:
            found.append(f"{self.path}: {message}")
        problem(self, message, suggestion)

    def noting_key(self: Node, key: str, allowed: tuple[str, ...]) -> None:
        found.append(f"{self.path}: unknown")
        unknown_key(self, key, allowed)

    monkeypatch.setattr(Node, "problem", noting)
    monkeypatch.setattr(Node, "unknown_key", noting_key)
    return found


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Give every place of a document."""
    yield place
    match value:
        case dict():
            members: list[tuple[str | int, Any]] = list(value.items())
        case list():
            members = list(enumerate(value))
        case _:
            members = []
    for key, child in members:
        yield from places(child, (*place, key))


def parent_of(document: Any, place: Place) -> Any:
    """Give the container of a place."""
    for step in place[:-1]:
        document = document[step]
    return document


def agree(document: Any, found: list[str], what: object) -> bool:
    """Compare the two; gives whether both take the document. A document is taken or refused."""
    found.clear()
    try:
        rules_from_plain(document)
        refused = False
    except RulesError:
        refused = True
    errors = [f"{e.instance_path}: {e.message}" for e in VALIDATOR.iter_errors(document)]
    assert bool(errors) == bool(found), (what, errors[:3], found[:3])
    assert refused or not errors
    return not refused


def test_the_schema_is_one() -> None:
    """In the dialect it names."""
    assert meta.is_valid(SCHEMA)


def test_every_value_has_a_kind() -> None:
    """A reader that is given as `Node.text` is not asked through the node: write a lambda."""
    empty = [path for path in schema_places(SCHEMA, "$") if path]
    assert empty == []


def schema_places(schema: Any, path: str) -> Iterator[str]:
    """Give the places of a schema that take anything at all."""
    if schema == {}:
        yield path
    for key in ("properties",):
        for name, child in schema.get(key, {}).items():
            yield from schema_places(child, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from schema_places(schema[key], f"{path}[]")
    for number, child in enumerate(schema.get("anyOf", ())):
        yield from schema_places(child, f"{path}|{number}")


def test_both_take_the_good_documents(shape_faults: list[str]) -> None:
    """The example that has every key, and the file of the demo."""
    assert agree(DOCUMENT, shape_faults, "the example")
    demo, _ = load_rules((ROOT / "routing_rules.yaml").read_text(), "routing_rules.yaml")
    assert agree(demo, shape_faults, "the demo")


def test_both_refuse_the_same_values(shape_faults: list[str]) -> None:
    """Whatever stands in whichever place: one says so exactly when the other does."""
    taken = refused = 0
    for place in list(places(DOCUMENT))[1:]:
        broken = copy.deepcopy(DOCUMENT)
        parent = parent_of(broken, place)
        for junk in JUNK:
            parent[place[-1]] = copy.deepcopy(junk)
            if agree(broken, shape_faults, (place, junk)):
                taken += 1
            else:
                refused += 1
    assert min(taken, refused) > 100


def test_both_miss_the_same_keys(shape_faults: list[str]) -> None:
    """And neither takes one more."""
    for place in list(places(DOCUMENT))[1:]:
        broken = copy.deepcopy(DOCUMENT)
        parent = parent_of(broken, place)
        if isinstance(parent, dict):
            del parent[place[-1]]
            agree(broken, shape_faults, ("without", place))
            parent["unheard-of"] = {}
            agree(broken, shape_faults, ("with one more beside", place))


def test_the_published_file_is_the_schema_of_today() -> None:
    """Made by `cutover schema`: run it once more after a change."""
    published = json.loads((DOCS / "routing_rules.schema.json").read_text())
    assert published == SCHEMA, "cutover schema --output docs/routing_rules.schema.json"
