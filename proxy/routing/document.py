"""Reading YAML: plain values that JSON can carry, and where each of them stands in the file.

Of YAML's types only those of JSON are read, by the core schema of YAML 1.2 (10.3.2); a date stays
the text it is. The values are built from the parser's events, so that nobody's constructor runs,
and depth and size are bounded before anything grows: aliases of aliases (the "billion laughs") are
refused after `VALUES_MAX` values, whatever the file's size.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from proxy.errors import RulesError
from proxy.routing.node import Places, Problems

SIZE_MAX: Final = 1024 * 1024
"""A rules file is refused beyond this many characters: nobody wrote it by hand."""

VALUES_MAX: Final = 100_000
DEPTH_MAX: Final = 24
"""Values in a document, those repeated by aliases included, and containers within each other."""

_TAG: Final = "tag:yaml.org,2002:"
_NULL: Final = re.compile(r"~|null|Null|NULL|")
_BOOL: Final = re.compile(r"(true|True|TRUE)|false|False|FALSE")
_INT: Final = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]{1,18}|[0-9]{1,18}(?:\.[0-9]{0,18})?)")


def read_document(text: str, problems: Problems) -> Any:
    """Give the plain values of a YAML text; where they stand is noted in `problems.places`.

    Raises RulesError when the text cannot be read at all; what can be read although it is wrong,
    such as a key given twice, is added to `problems`.
    """
    if len(text) > SIZE_MAX:
        raise _fatal(problems, 1, 1, f"the file is larger than {SIZE_MAX} characters")
    try:
        return _Reader(YAML(typ="safe", pure=True).parse(text), problems).document()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        message = " ".join(str(error.problem or error.context).split())
        raise _fatal(problems, line, column, f"not valid YAML: {message}") from error
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"the character U+{error.character:04X} is not allowed"
        raise _fatal(problems, line, column, f"not valid YAML: {message}") from error
    except (YAMLError, ValueError, OverflowError) as error:
        # The last two: chr() of an escape such as "\UFFFFFFFF", from within the scanner.
        raise _fatal(problems, 1, 1, f"not valid YAML: {error}") from error


def _fatal(problems: Problems, line: int, column: int, message: str) -> RulesError:
    problems.add(line, column, message)
    return RulesError(tuple(problems.found))


class _Reader:
    """Builds the values of one document from its events."""

    def __init__(self, events: Iterator[Event], problems: Problems) -> None:
        self._events = events
        self._problems = problems
        self._places: Places = problems.places
        self._anchors: dict[str, Any] = {}
        self._open: set[str] = set()
        self._count = 0

    def document(self) -> Any:
        """Read the one document of the stream; None when there is none."""
        value, seen = None, False
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                if seen:
                    raise self._refusal(event, "a second document begins here")
                seen = True
                value = self._value(next(self._events), 0)
        return value

    def _value(self, event: Event, depth: int) -> Any:
        self._spend(event, depth)
        if isinstance(event, AliasEvent):
            return self._alias(event, depth)
        if isinstance(event, ScalarEvent):
            return self._anchored(event, lambda: self._scalar(event))
        if isinstance(event, SequenceStartEvent):
            self._check_tag(event, event.tag, "seq")
            return self._anchored(event, lambda: self._sequence(depth))
        if isinstance(event, MappingStartEvent):
            self._check_tag(event, event.tag, "map")
            return self._anchored(event, lambda: self._mapping(depth))
        raise self._refusal(event, "a value is missing")

    def _spend(self, event: Event, depth: int) -> None:
        self._count += 1
        if self._count > VALUES_MAX:
            raise self._refusal(event, f"more than {VALUES_MAX} values, aliases repeated")
        if depth > DEPTH_MAX:
            raise self._refusal(event, f"nested more than {DEPTH_MAX} deep")

    def _anchored(self, event: NodeEvent, build: Callable[[], Any]) -> Any:
        anchor: str | None = event.anchor
        if anchor is None:
            return build()
        self._open.add(anchor)
        self._anchors[anchor] = value = build()
        self._open.discard(anchor)
        return value

    def _alias(self, event: AliasEvent, depth: int) -> Any:
        anchor = event.anchor
        if anchor in self._open:
            raise self._refusal(event, f"`*{anchor}` contains itself")
        if anchor not in self._anchors:
            raise self._refusal(event, f"there is no `&{anchor}` above")
        return self._copy(self._anchors[anchor], event, depth)

    def _copy(self, value: Any, event: Event, depth: int) -> Any:
        """Repeat a value, so that no two places of the document share one."""
        if not isinstance(value, (dict, list)):
            return value
        self._spend(event, depth)
        if isinstance(value, list):
            copied: Any = [self._copy(item, event, depth + 1) for item in value]
        else:
            copied = {key: self._copy(item, event, depth + 1) for key, item in value.items()}
        self._places.copy(value, copied)
        return copied

    def _sequence(self, depth: int) -> list[Any]:
        items: list[Any] = []
        for event in self._events:
            if isinstance(event, SequenceEndEvent):
                break
            self._places.note(items, len(items), *_place(event))
            items.append(self._value(event, depth + 1))
        return items

    def _mapping(self, depth: int) -> dict[str, Any]:
        members: dict[str, Any] = {}
        merged: list[dict[str, Any]] = []
        for event in self._events:
            if isinstance(event, MappingEndEvent):
                break
            merge = isinstance(event, ScalarEvent) and event.value == "<<" and _is_plain(event)
            key = self._key(event, depth)
            value = self._value(next(self._events), depth + 1)
            if merge:
                merged += self._to_merge(event, value)
            elif key in members:
                where = self._places.of(members, key)
                already = f"the key `{key}` is given already at line {where[0] if where else '?'}"
                self._problems.add(*_place(event), already, suggestion="keep one of the two")
            else:
                self._places.note(members, key, *_place(event))
                members[key] = value
        for other in merged:
            self._merge(members, other)
        return members

    def _key(self, event: Event, depth: int) -> str:
        key = self._value(event, depth + 1)
        if isinstance(key, str):
            return key
        shown = event.value if isinstance(event, ScalarEvent) else "…"
        self._problems.add(*_place(event), "a key must be a text", shown, f'write "{shown}":')
        return shown

    def _to_merge(self, event: Event, value: Any) -> list[dict[str, Any]]:
        found = value if isinstance(value, list) else [value]
        if all(isinstance(item, dict) for item in found):
            return found
        self._problems.add(*_place(event), "`<<` takes a mapping, or a list of mappings")
        return []

    def _merge(self, members: dict[str, Any], other: dict[str, Any]) -> None:
        """Add what a `<<` brings: it stands behind every key that is written out."""
        for key, value in other.items():
            if key not in members:
                where = self._places.of(other, key)
                self._places.note(members, key, *(where or (1, 1)))
                members[key] = value

    def _scalar(self, event: ScalarEvent) -> Any:
        text: str = event.value
        tag: str | None = event.tag
        if not _is_encodable(text):
            self._problems.add(*_place(event), "is not Unicode: half of a surrogate pair")
            return ""
        if tag is None:
            return _plain(text) if _is_plain(event) else text
        kinds = {"str": str, "null": type(None), "bool": bool, "int": int, "float": float}
        kind = kinds.get(tag.removeprefix(_TAG))
        value = text if kind is str or tag == "!" else _plain(text)
        if kind is None and tag != "!":
            self._check_tag(event, tag, "str")
        elif kind is not None and type(value) is not kind:
            self._problems.add(*_place(event), f"is not what its tag {tag} says", text)
        return value

    def _check_tag(self, event: Event, tag: str | None, kind: str) -> None:
        if tag not in (None, "!", _TAG + kind):
            self._problems.add(*_place(event), "tags are not read here", str(tag), "leave it out")

    def _refusal(self, event: Event, message: str) -> RulesError:
        line, column = _place(event)
        return _fatal(self._problems, line, column, message)


def _place(event: Event) -> tuple[int, int]:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1


def _is_plain(event: ScalarEvent) -> bool:
    return event.style is None


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _plain(text: str) -> Any:
    """Give the meaning of a text without quotes (YAML 1.2, 10.3.2, of numbers the decimal ones)."""
    if _NULL.fullmatch(text):
        return None
    if found := _BOOL.fullmatch(text):
        return found[1] is not None
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
