"""Adding ignore rules to one route in the text of the rules; comments and layout stay (see `edit`).

What is added goes behind the last entry of `compare.ignore`, or behind the last key of `compare`,
or of the route, in the style, block or flow, of what it is added to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, SequenceNode

from proxy.control.edit import member, placeless, route_node
from proxy.control.loaded import LoadedRules
from proxy.errors import RefusedError, RulesError
from proxy.routing.compare_rules import IgnoreRule
from proxy.routing.rules import Rules
from proxy.routing.schema import load_rules

_PLAIN = re.compile(r"[$A-Za-z][\w$.-]*", re.ASCII)
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def with_ignore_rules(
    before: LoadedRules, route_id: str, added: Sequence[IgnoreRule], file: str
) -> LoadedRules:
    """Give the rules with these added to the route's ignore rules.

    Raises RefusedError when the text cannot be changed without changing anything else.
    """
    route = route_node(YAML(typ="safe", pure=True).compose(before.text), route_id)
    if route is None:
        raise RefusedError(f"{file}: there is no route `{route_id}`")
    text = _edit(before.text, route, [_flow(rule) for rule in added])
    try:
        document, rules = load_rules(text, file)
    except RulesError:
        rules = None
    if rules is None or placeless(rules) != placeless(_added(before.rules, route_id, added)):
        written = "\n".join(f"  - {_flow(rule)}" for rule in added)
        raise RefusedError(
            f"{file}: the ignore rules of `{route_id}` cannot be changed without touching more (are"
            f" they shared through an anchor?); add by hand, under compare.ignore:\n{written}"
        )
    return LoadedRules(text, document, rules)


def _edit(text: str, route: MappingNode, rules: list[str]) -> str:
    compare = member(route, "compare")
    if not isinstance(compare, MappingNode):
        return _append(text, route, "compare", ["ignore:", *(f"  - {rule}" for rule in rules)],
                       f"{{ignore: [{', '.join(rules)}]}}")  # fmt: skip
    ignore = member(compare, "ignore")
    if not isinstance(ignore, SequenceNode):
        block = [f"- {rule}" for rule in rules]
        return _append(text, compare, "ignore", block, f"[{', '.join(rules)}]")
    if ignore.flow_style or not ignore.value:
        return _insert_in_flow(text, ignore, ", ".join(rules))
    column = ignore.start_mark.column
    return _insert_lines(text, ignore, [f"{' ' * column}- {rule}" for rule in rules])


def _append(text: str, mapping: MappingNode, key: str, block: list[str], flow: str) -> str:
    """Add a key to a mapping: as lines beneath it, or as one value within braces."""
    if mapping.flow_style or not mapping.value:
        return _insert_in_flow(text, mapping, f"{key}: {flow}")
    indent = " " * mapping.value[0][0].start_mark.column
    lines = [f"{indent}{key}:", *(f"{indent}  {line}" for line in block)]
    return _insert_lines(text, mapping, lines)


def _insert_in_flow(text: str, node: CollectionNode, piece: str) -> str:
    """Add an entry behind the last one between brackets or braces."""
    if not node.value:
        at = text.index("[{"[isinstance(node, MappingNode)], node.start_mark.index) + 1
        return f"{text[:at]}{piece}{text[at:]}"
    at = _last(node).end_mark.index
    return f"{text[:at]}, {piece}{text[at:]}"


def _insert_lines(text: str, node: CollectionNode, lines: list[str]) -> str:
    """Add lines behind the line on which a node in block style ends."""
    at = _last(node).end_mark.index
    while at and text[at - 1] in "\r\n":  # a block scalar ends where the next line begins
        at -= 1
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    newline = "\r\n" if text[:end].endswith("\r") else "\n"
    end -= len(newline) - 1
    return text[:end] + "".join(newline + line for line in lines) + text[end:]


def _last(node: Node) -> Node:
    """Give the last node inside whose end is an end in the text: that of a block is none."""
    while isinstance(node, CollectionNode) and node.value:
        last = node.value[-1]
        inner = last[1] if isinstance(node, MappingNode) else last
        node = inner
        if isinstance(node, CollectionNode) and node.flow_style:
            break
    return node


def _flow(rule: IgnoreRule) -> str:
    parts = [
        f"path: {_scalar(rule.path)}",
        f"reason: {json.dumps(rule.reason, ensure_ascii=False)}",
    ]
    if rule.owner:
        parts.append(f"owner: {_scalar(rule.owner)}")
    if rule.until is not None:
        parts.append(f"until: {rule.until.isoformat()}")
    return f"{{{', '.join(parts)}}}"


def _scalar(text: str) -> str:
    """Write a text plainly where it cannot be taken for anything else; JSON is YAML, too."""
    is_plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _added(rules: Rules, route_id: str, added: Sequence[IgnoreRule]) -> Rules:
    routes = (
        replace(route, compare=replace(route.compare, ignore=(*route.compare.ignore, *added)))
        if route.id == route_id
        else route
        for route in rules.routes
    )
    return replace(rules, routes=tuple(routes))
