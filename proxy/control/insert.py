"""Adding to the text of a YAML document behind what is there, in its style, block or flow."""

from __future__ import annotations

import json
import re
from typing import Any

from ruamel.yaml.nodes import CollectionNode, MappingNode, Node

_PLAIN = re.compile(r"[$A-Za-z][\w$.-]*", re.ASCII)
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def append(text: str, mapping: MappingNode, key: str, block: list[str], flow: str) -> str:
    """Add a key to a mapping: as lines beneath it, or as one value within braces."""
    if mapping.flow_style or not mapping.value:
        return insert_in_flow(text, mapping, f"{key}: {flow}")
    indent = " " * mapping.value[0][0].start_mark.column
    lines = [f"{indent}{key}:", *(f"{indent}  {line}" for line in block)]
    return insert_lines(text, mapping, lines)


def insert_in_flow(text: str, node: CollectionNode, piece: str) -> str:
    """Add an entry behind the last one between brackets or braces."""
    if not node.value:
        at = text.index("[{"[isinstance(node, MappingNode)], node.start_mark.index) + 1
        return f"{text[:at]}{piece}{text[at:]}"
    at = last_within(node).end_mark.index
    return f"{text[:at]}, {piece}{text[at:]}"


def insert_lines(text: str, node: CollectionNode, lines: list[str]) -> str:
    """Add lines behind the line on which a node in block style ends."""
    at = last_within(node).end_mark.index
    while at and text[at - 1] in "\r\n":  # a block scalar ends where the next line begins
        at -= 1
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    newline = "\r\n" if text[:end].endswith("\r") else "\n"
    end -= len(newline) - 1
    return text[:end] + "".join(newline + line for line in lines) + text[end:]


def last_within(node: Node) -> Node:
    """Give the last node inside whose end is an end in the text: that of a block is none."""
    while isinstance(node, CollectionNode) and node.value:
        last = node.value[-1]
        inner = last[1] if isinstance(node, MappingNode) else last
        node = inner
        if isinstance(node, CollectionNode) and node.flow_style:
            break
    return node


def scalar(text: str) -> str:
    """Write a text plainly where it cannot be taken for anything else; JSON is YAML, too."""
    is_plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def flow(value: Any) -> str:
    """Write plain values on one line, as a person would."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{scalar(key)}: {flow(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    return scalar(value) if isinstance(value, str) else json.dumps(value)
