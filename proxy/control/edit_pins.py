"""Adding a pin to the text of the rules, and taking one out; comments stay (see `edit`)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from ruamel.yaml import YAML
from ruamel.yaml.nodes import SequenceNode

from proxy.control.edit import member, placeless
from proxy.control.insert import insert_in_flow, insert_lines, last_within, scalar
from proxy.control.loaded import LoadedRules
from proxy.errors import NotFoundError, RefusedError, RulesError
from proxy.routing.rules import Pin
from proxy.routing.schema import load_rules


def with_pin(before: LoadedRules, pin: Pin, file: str) -> LoadedRules:
    """Give the rules with this pin, instead of an earlier one of the same identity.

    Raises RefusedError when the text cannot be changed without changing anything else.
    """
    if any(each.identity == pin.identity for each in before.rules.pins):
        before = without_pin(before, pin.identity, file)
    return _checked(before, (*before.rules.pins, pin), lambda text: _added(text, pin), file)


def without_pin(before: LoadedRules, identity: str, file: str) -> LoadedRules:
    """Give the rules without the pins of an identity; raises NotFoundError when it has none."""
    kept = tuple(each for each in before.rules.pins if each.identity != identity)
    if len(kept) == len(before.rules.pins):
        raise NotFoundError(f"no pin holds {identity}")
    numbers = [i for i, each in enumerate(before.rules.pins) if each.identity == identity]
    return _checked(before, kept, lambda text: _removed(text, numbers), file)


def _checked(
    before: LoadedRules, pins: tuple[Pin, ...], edit: Callable[[str], str], file: str
) -> LoadedRules:
    """Edit the text, and make sure that nothing but the pins is another."""
    text = edit(before.text)
    try:
        document, rules = load_rules(text, file)
    except RulesError as error:
        raise RefusedError(f"the pins cannot be changed so: {error}") from error
    if placeless(rules) != placeless(replace(before.rules, pins=pins)):
        raise RefusedError(
            f"{file}: `pins` cannot be changed without touching more (is it shared through an"
            " anchor?); edit the file by hand"
        )
    return LoadedRules(text, document, rules)


def _added(text: str, pin: Pin) -> str:
    pins = member(YAML(typ="safe", pure=True).compose(text), "pins")
    if isinstance(pins, SequenceNode):
        if pins.flow_style or not pins.value:
            return insert_in_flow(text, pins, _flow(pin))
        return insert_lines(text, pins, [f"{' ' * pins.start_mark.column}- {_flow(pin)}"])
    newline = "\r\n" if "\r\n" in text else "\n"
    gap = "" if text.endswith("\n") else newline
    return f"{text}{gap}{newline}pins:{newline}  - {_flow(pin)}{newline}"


def _removed(text: str, numbers: list[int]) -> str:
    pins = member(YAML(typ="safe", pure=True).compose(text), "pins")
    if not isinstance(pins, SequenceNode):
        return text
    if len(numbers) == len(pins.value):
        return text[: _start(pins)] + "[]" + text[_end(text, pins) :]
    for number in reversed(numbers):
        text = _cut(text, pins, number)
    return text


def _cut(text: str, pins: SequenceNode, number: int) -> str:
    """Take one entry out: its lines in block style, itself and a comma in flow style."""
    node = pins.value[number]
    if pins.flow_style:
        if number:
            return text[: pins.value[number - 1].end_mark.index] + text[node.end_mark.index :]
        return text[: node.start_mark.index] + text[pins.value[1].start_mark.index :]
    begin = text.rindex("\n", 0, node.start_mark.index) + 1
    following = pins.value[number + 1] if number + 1 < len(pins.value) else None
    if following is not None:
        return text[:begin] + text[text.rindex("\n", 0, following.start_mark.index) + 1 :]
    end = text.find("\n", last_within(node).end_mark.index)
    return text[:begin] + (text[end + 1 :] if end >= 0 else "")


def _start(pins: SequenceNode) -> int:
    return int(pins.start_mark.index)


def _end(text: str, pins: SequenceNode) -> int:
    """Find where a list ends: the parser says of one in block style where the next thing begins."""
    if pins.flow_style:
        return int(pins.end_mark.index)
    end = text.find("\n", last_within(pins).end_mark.index)
    return end if end >= 0 else len(text)


def _flow(pin: Pin) -> str:
    parts = [f"identity: {json.dumps(pin.identity, ensure_ascii=False)}", f"side: {pin.side.value}"]
    if pin.reason:
        parts.append(f"reason: {json.dumps(pin.reason, ensure_ascii=False)}")
    if pin.routes:
        parts.append(f"routes: [{', '.join(map(scalar, pin.routes))}]")
    return f"{{{', '.join(parts)}}}"
