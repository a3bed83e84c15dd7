"""Adding one entry to a section of a route's `compare`; comments and layout stay (see `insert`)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, MappingNode, SequenceNode

from proxy.control.edit import member, placeless, route_node
from proxy.control.insert import append, flow, insert_in_flow, insert_lines, scalar
from proxy.control.loaded import LoadedRules
from proxy.errors import RefusedError, RulesError
from proxy.routing.rules import Rules
from proxy.routing.schema import load_rules, rules_from_plain


def with_entry(
    before: LoadedRules, route_id: str, section: str, entry: Mapping[str, Any], file: str
) -> LoadedRules:
    """Give the rules with an entry more in a section: the next of a list, or pairs of a mapping.

    Raises RefusedError when the text cannot be changed without changing anything else, or when the
    rules would not be valid.
    """
    route = route_node(YAML(typ="safe", pure=True).compose(before.text), route_id)
    if route is None:
        raise RefusedError(f"{file}: there is no route `{route_id}`")
    try:
        text = _edit(before.text, route, section, entry)
        document, rules = load_rules(text, file)
        expected = _added(before.document, route_id, section, entry)
    except (RulesError, TypeError):
        rules = None
    if rules is None or placeless(rules) != placeless(expected):
        raise RefusedError(
            f"{file}: `compare.{section}` of `{route_id}` cannot be changed without touching more"
            f" (is it shared through an anchor?); add by hand:\n  {flow(dict(entry))}"
        )
    return LoadedRules(text, document, rules)


def _edit(text: str, route: MappingNode, section: str, entry: Mapping[str, Any]) -> str:
    is_list = section != "tolerances"
    pieces = (
        [flow(dict(entry))] if is_list else [f"{scalar(k)}: {flow(v)}" for k, v in entry.items()]
    )
    lines = [f"- {piece}" for piece in pieces] if is_list else pieces
    whole = f"[{', '.join(pieces)}]" if is_list else f"{{{', '.join(pieces)}}}"
    compare = member(route, "compare")
    if not isinstance(compare, MappingNode):
        block = [f"{section}:", *(f"  {line}" for line in lines)]
        return append(text, route, "compare", block, f"{{{section}: {whole}}}")
    present = member(compare, section)
    if not isinstance(present, SequenceNode if is_list else MappingNode):
        return append(text, compare, section, lines, whole)
    assert isinstance(present, CollectionNode)  # noqa: S101 - both kinds are; mypy cannot see it
    if present.flow_style or not present.value:
        return insert_in_flow(text, present, ", ".join(pieces))
    column = " " * present.start_mark.column
    return insert_lines(text, present, [f"{column}{line}" for line in lines])


def _added(document: Any, route_id: str, section: str, entry: Mapping[str, Any]) -> Rules:
    """Give what the rules shall mean, by way of their plain values."""
    changed = copy.deepcopy(document)
    route = next(each for each in changed["routes"] if each["id"] == route_id)
    compare = route["compare"] = route.get("compare") or {}
    if section == "tolerances":
        compare[section] = {**(compare.get(section) or {}), **entry}
    else:
        compare[section] = [*(compare.get(section) or []), dict(entry)]
    return rules_from_plain(changed)
