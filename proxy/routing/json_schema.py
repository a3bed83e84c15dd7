"""The JSON Schema of `routing_rules.yaml`, for editors; derived from the readers themselves.

The readers are run on a node that has no value: each method that would read one notes what it would
take instead. So there is one schema, and no second one to be kept in step. What a reader checks
beyond the kind of a value, such as names that must be defined elsewhere, no JSON Schema can say;
there the editor is silent and `cutover check` is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any, Final, TypeVar

from proxy.routing import node as kinds
from proxy.routing.node import NONE, Members, Node, Problems
from proxy.routing.schema import read_rules

T = TypeVar("T")
Schema = dict[str, Any]

DIALECT: Final = "http://json-schema.org/draft-07/schema#"
"""The one that every editor knows."""

ANY_KEY: Final = "*"


def json_schema() -> Schema:
    """Give the schema of a whole document."""
    whole = _Blank()
    read_rules(whole)
    return {"$schema": DIALECT, "title": "Cutover: routing_rules.yaml", **whole.schema}


class _Blank(Node):
    """A node without a value; `schema` says what was asked of it."""

    def __init__(self) -> None:
        super().__init__(object(), Problems("schema"))
        self.schema: Schema = {}

    def problem(self, message: str, suggestion: str = "") -> None:
        """Note nothing: there is no value that could be wrong."""

    def mapping(self, known: Iterable[str] | None = None, required: Iterable[str] = ()) -> Members:
        """Take an object, of these keys or of any."""
        children = {key: _Blank() for key in ((ANY_KEY,) if known is None else known)}
        schemas = {key: child.schema for key, child in children.items()}
        if known is None:
            self.schema.update(type="object", additionalProperties=schemas[ANY_KEY])
        else:
            self.schema.update(type="object", properties=schemas, additionalProperties=False)
        if required:
            self.schema["required"] = list(required)
        return Members(self, dict(children))

    def items(self) -> Iterator[Node]:
        """Take a list."""
        item = _Blank()
        self.schema.update(type="array", items=item.schema)
        yield item

    def none_or(self, reader: Callable[[Node], T]) -> T | None:
        """Take the word, or what the reader takes."""
        other = _Blank()
        self.schema["anyOf"] = [{"const": NONE}, other.schema]
        return reader(other)

    def either(self, scalar: Callable[[Node], T], mapping: Callable[[Node], T]) -> T:
        """Take what either reader takes."""
        plain, keyed = _Blank(), _Blank()
        self.schema["anyOf"] = [plain.schema, keyed.schema]
        mapping(keyed)
        return scalar(plain)

    def text(self, default: str = "") -> str:
        """Take a text that is not blank."""
        self.schema.update(type="string", pattern=r"\S")
        return default

    def text_or_empty(self) -> str:
        """Take any text, but for one of blanks alone."""
        self.schema.update(type="string", pattern=r"^$|\S")
        return ""

    def constant(self, only: int, message: str, suggestion: str) -> int:
        """Take one number."""
        del message, suggestion
        self.schema["const"] = only
        return only

    def name(self, what: str) -> str:
        """Take a name."""
        del what
        self._text_like(kinds.NAME)
        return ""

    def one_of(self, choices: tuple[str, ...], default: str) -> str:
        """Take one of a few words."""
        self.schema["enum"] = list(choices)
        return default

    def flag(self, default: bool) -> bool:
        """Take true or false."""
        self.schema["type"] = "boolean"
        return default

    def count(self, default: int, least: int = 0, most: int = kinds.COUNT_MAX) -> int:
        """Take a whole number."""
        self.schema.update(type="integer", minimum=least, maximum=most)
        return default

    def percent(self, default: float = 0.0) -> float:
        """Take a share."""
        self._text_like(kinds.PERCENT)
        return default

    def duration(self, default: float, least: float = 0.0) -> float:
        """Take a time."""
        del least
        self._text_like(kinds.DURATION)
        return default

    def size(self, default: int, least: int = 0, most: int = 2**50) -> int:
        """Take a number of bytes."""
        del least, most
        self._text_like(kinds.SIZE)
        return default

    def frequency(self, default: float) -> float:
        """Take a rate."""
        self._text_like(kinds.FREQUENCY)
        return default

    def times(self, default: float) -> float:
        """Take a factor."""
        self._text_like(kinds.TIMES)
        return default

    def scalar(self) -> str | int | float | bool | None:
        """Take one value of any kind."""
        self.schema.update(type=["string", "number", "boolean", "null"])
        return None

    def bandwidth(self, default: float) -> float:
        """Take a bandwidth."""
        self._text_like(kinds.BANDWIDTH)
        return default

    def day(self) -> date | None:
        """Take a date."""
        self._text_like(kinds.DAY)
        return None

    def decimal(self) -> str:
        """Take a number, or one written as a text."""
        written = {"type": "string", "pattern": _whole(kinds.DECIMAL)}
        self.schema["anyOf"] = [{"type": "number", "minimum": 0}, written]
        return "0"

    def _text_like(self, pattern: re.Pattern[str]) -> None:
        self.schema.update(type="string", pattern=_whole(pattern))


def _whole(pattern: re.Pattern[str]) -> str:
    """Write a pattern as JSON Schema means it: anchored, in what ECMA 262 shares with Python."""
    return f"^(?:{pattern.pattern})$"
