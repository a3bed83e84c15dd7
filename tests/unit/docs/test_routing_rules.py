from __future__ import annotations

import ast
import copy
import inspect
import re
from collections.abc import Iterable
from itertools import chain
from typing import Any

import pytest
from ruamel.yaml import YAML

from proxy.rollout.phase import table_text
from proxy.routing import schema, schema_compare, schema_upstreams
from proxy.routing.compare_rules import EQUIVALENCES
from proxy.routing.document import read_document
from proxy.routing.node import Members, Node, Problems
from proxy.routing.rules import METHODS
from shadow_compare.paths import parse_pattern
from tests.support_docs import blocks, code, read, rows

TEXT = read("routing-rules.md")
EXAMPLE = blocks(TEXT, "yaml")[0]
DOCUMENTED = {
    key: row for row in rows(TEXT) if "default" in row and (key := code(row["key"])) is not None
}

MINIMAL: dict[str, Any] = {
    "version": 1,
    "upstreams": {
        "legacy": {
            "instances": ["https://127.0.0.1:8081"],
            "timeouts": {},
            "tls": {},
            "ejection": {},
            "probe": {"path": "/"},
            "breaker": {},
            "retry_budget": {},
        },
        "modern": {"instances": ["http://127.0.0.1:8082"], "timeouts": {}},
    },
    "defaults": {},
    "limits": {},
    "mirror": {},
    "plans": {"standard": [{"weight": "0%", "until": {}}]},
    "routes": [
        {
            "id": "all",
            "match": {"path": "/all"},
            "mirror": {"read_back": {"path": "/"}},
            "rollback": {},
            "limits": {"route": {"rate": "1/s"}, "client": {"rate": "1/s"}},
            "rewrite": {"legacy": {"path": {}, "request": {}, "response": {}}},
            "retry": {},
            "fail_when": {"body": [{"path": "$"}]},
            "compare": {
                "ignore": [{"path": "$", "reason": "clock"}],
                "equivalences": [{"name": "float_precision"}],
                "tolerances": {"$": {"within": 1}},
                "correspond": [{"path": "$"}],
                "translate": [{"at": "$", "as": "user"}],
            },
        },
        {
            "id": "users",
            "match": {"path": "/*"},
            "compare": {"correspond": [{"path": "$", "as": "user"}]},
        },
    ],
    "pins": [{"identity": "header:X=1", "side": "legacy"}],
    "cohorts": [{"id": "staff", "side": "modern", "source": "header:X", "values": ["a"]}],
}


def _with_code(column: str) -> dict[str, str]:
    """Give the documented keys that have a value in this column, with the value."""
    found = {key: code(row[column]) for key, row in DOCUMENTED.items()}
    return {key: value for key, value in found.items() if value is not None}


def _general(path: str) -> str:
    """Write a path of the document as the documentation does."""
    path = re.sub(r"\[\d+\]", "[]", path)
    path = re.sub(r"^upstreams\.(legacy|modern)(?=\.)", "upstreams.SIDE", path)
    path = re.sub(r"(?<=\.rewrite)\.(legacy|modern)(?=\.)", ".SIDE", path)
    path = re.sub(r"^plans\.\w+", "plans.NAME", path)
    path = re.sub(r"^defaults\.(\w+)\.", r"routes[].\1.", path)
    return re.sub(r"\.(arrays|tolerances)\.\$.*(?=\.\w+$)", r".\1.PATH", path)


@pytest.fixture
def accepted(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Read the documented example and note every key that the schema would take where it looks."""
    keys: set[str] = set()
    mapping = Node.mapping

    def noting(
        self: Node, known: Iterable[str] | None = None, required: Iterable[str] = ()
    ) -> Members:
        for key in known or ():
            keys.add(_general(f"{self.path}.{key}" if self.path else key))
        return mapping(self, known, required)

    monkeypatch.setattr(Node, "mapping", noting)
    schema.load_rules(EXAMPLE, "docs/routing-rules.md")
    return keys


def test_every_key_is_documented(accepted: set[str]) -> None:
    """Each key that the schema accepts has its row."""
    assert accepted - set(DOCUMENTED) == set()


def test_every_documented_key_is_accepted(accepted: set[str]) -> None:
    """No row describes a key that the schema would refuse."""
    assert set(DOCUMENTED) - accepted == set()


def test_the_example_leaves_no_part_of_the_schema_out(accepted: set[str]) -> None:
    """The example reaches every place of the schema that reads a mapping with keys."""
    trees = [
        ast.parse(inspect.getsource(module))
        for module in (schema, schema_compare, schema_upstreams)
    ]
    literals = {
        element.value
        for node in chain.from_iterable(map(ast.walk, trees))
        if isinstance(node, ast.Tuple)
        for element in node.elts
        if isinstance(element, ast.Constant) and isinstance(element.value, str)
    }
    words = {"rollback", "freeze", "modern", "legacy", "jwt", "cookie", "header", "path"}
    values = words | {
        *METHODS,
        *EQUIVALENCES,
        *schema.RESERVED_HEADERS,
        "client_ip",
        "mint",
        "",
        "/",
    }
    last = {key.rpartition(".")[2].removesuffix("[]") for key in accepted}
    assert literals - values <= last


def test_the_example_shows_every_key(accepted: set[str]) -> None:
    """Every key stands in the example, so that each has been seen to work."""
    shown: set[str] = set()
    _walk(YAML(typ="safe", pure=True).load(EXAMPLE), "", shown)
    assert accepted - {_general(path) for path in shown} == set()


@pytest.mark.parametrize("key", sorted(_with_code("default")))
def test_a_documented_default_is_the_default(key: str) -> None:
    """Writing down the default that the table names changes nothing."""
    value = YAML(typ="safe", pure=True).load(_with_code("default")[key])
    path = key.replace("SIDE", "legacy").replace("NAME", "standard")
    said, unsaid = copy.deepcopy(MINIMAL), copy.deepcopy(MINIMAL)
    parent, last = _place(said, path)
    parent[last] = value
    parent, last = _place(unsaid, path)
    parent.pop(last, None)
    assert schema.rules_from_plain(said) == schema.rules_from_plain(unsaid)


@pytest.mark.parametrize("key", sorted(_with_code("example")))
def test_a_documented_example_is_accepted(key: str) -> None:
    """Each example value can be written where its row says."""
    value = read_document(_with_code("example")[key], Problems("example"))
    document, _ = schema.load_rules(EXAMPLE, "docs/routing-rules.md")
    parent, last = _place(document, key.replace("SIDE", "modern").replace("NAME", "standard"))
    parent[last] = value
    schema.rules_from_plain(document)


@pytest.mark.parametrize(
    ("key", "phrase"),
    [
        ("version", "required"),
        ("upstreams.SIDE.instances", "required"),
        ("routes[].id", "required"),
    ],
)
def test_required_keys_say_so(key: str, phrase: str) -> None:
    """The keys without which a file is refused are marked."""
    assert DOCUMENTED[key]["default"] == phrase


def test_the_equivalences_are_those_there_are() -> None:
    """The table of equivalences has the names that a route may declare, in order."""
    names = [code(row["name"]) for row in rows(TEXT) if "these count as the same" in row]
    assert tuple(names) == EQUIVALENCES


def test_every_form_of_path_is_one_the_comparison_reads() -> None:
    """The table of paths has only what the schema takes and the comparison understands."""
    paths = [code(row["path"]) for row in rows(TEXT) if "names" in row]
    assert len(paths) == 22
    for path in paths:
        assert path is not None
        parse_pattern(path)
        document = copy.deepcopy(MINIMAL)
        document["routes"][0]["compare"] = {"critical": [path]}
        schema.rules_from_plain(document)


def _walk(value: Any, path: str, found: set[str]) -> None:
    if isinstance(value, dict):
        for key, child in value.items():
            found.add(f"{path}.{key}" if path else key)
            _walk(child, f"{path}.{key}" if path else key, found)
    elif isinstance(value, list):
        for child in value:
            _walk(child, f"{path}[]", found)


def _place(document: Any, path: str) -> tuple[dict[str, Any], str]:
    """Find the mapping and the key of `routes[].mirror.share`; a list stands for its first."""
    *parents, last = re.findall(r"\w+|\[\]", path)
    for part in parents:
        if part == "PATH":
            document = next(iter(document.values()))
        else:
            document = document[0] if part == "[]" else document[part]
    return document, last


def test_the_moves_between_phases_are_those_of_the_table() -> None:
    """Printed from it, so that a move that does not exist is not promised."""
    assert f"```\n{table_text()}\n```" in read("routing-rules.md")
