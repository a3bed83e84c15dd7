"""Reading a rules document: one node with its place in the file, and what may be wrong with it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any, Final, TypeVar

from proxy.errors import Position, RulesProblem

T = TypeVar("T")
D = TypeVar("D")

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}")
PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,2})?) ?%")
DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?(ms|s|m|h|d)")
COUNT_MAX: Final = 1_000_000_000
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION_MAX = 366 * 86_400.0
SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,3})?) ?(B|[KMG]i?B)")
_BYTES = {
    "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30,
}  # fmt: skip
FREQUENCY = re.compile(r"([0-9]{1,9}) ?/ ?(s|m|h)")
BANDWIDTH = re.compile(rf"({SIZE.pattern}) ?/ ?(s|m|h)")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DECIMAL = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?")
TIMES = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,2})?)x")
_TIMES_MAX = 100.0
_FREQUENCY_MAX = 1_000_000.0
_BANDWIDTH_MAX = 1e12

NONE: Final = "none"
"""The word with which a route lifts a limit that `defaults` set."""

Place = tuple[int, int]
"""Line and column, both from 1."""


class Places:
    """Where the members of each list and mapping of one document stand."""

    def __init__(self) -> None:
        # By identity, as equal containers stand in different places; kept, so that it stays theirs.
        self._of: dict[int, tuple[Any, dict[Any, Place]]] = {}

    def note(self, container: Any, member: Any, line: int, column: int) -> None:
        """Say where a key or an index of a container stands."""
        self._of.setdefault(id(container), (container, {}))[1][member] = (line, column)

    def copy(self, container: Any, copied: Any) -> None:
        """Say that what was copied stands where the original does."""
        if id(container) in self._of:
            self._of[id(copied)] = (copied, self._of[id(container)][1])

    def of(self, container: Any, member: Any) -> Place | None:
        """Give the place of a member, or None."""
        noted = self._of.get(id(container))
        return None if noted is None else noted[1].get(member)


class Problems:
    """Collects everything wrong with one document, so that an operator mends it in one go."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[RulesProblem] = []
        self.places = Places()

    def add(
        self, line: int, column: int, message: str, text: str = "", suggestion: str = ""
    ) -> None:
        """Note one problem."""
        self.found.append(
            RulesProblem(Position(self.file, line, column), message, text, suggestion)
        )


class Node:
    """One value of the document with its path (`routes[2].weight`) and its line and column.

    Readers return the value, or the given default after noting a problem.
    """

    def __init__(
        self, value: Any, problems: Problems, path: str = "", line: int = 1, column: int = 1
    ) -> None:
        self.value = value
        self.path = path
        self.line = line
        self.column = column
        self._problems = problems

    def problem(self, message: str, suggestion: str = "") -> None:
        """Note that something is wrong here."""
        text = "" if isinstance(self.value, (dict, list)) else _shown(self.value)
        where = f"{_cut(self.path)}: " if self.path else ""
        self._problems.add(self.line, self.column, where + message, text, suggestion)

    # Containers

    def mapping(self, known: Iterable[str] | None = None, required: Iterable[str] = ()) -> Members:
        """Read a mapping; unknown keys are problems when `known` is given."""
        if not isinstance(self.value, dict):
            self.problem("must be a mapping of keys to values")
            return Members(self, {})
        prefix = f"{self.path}." if self.path else ""
        members = {
            str(key): self._member(key, value, f"{prefix}{key}")
            for key, value in self.value.items()
        }
        if known is not None:
            allowed = tuple(known)
            for key, child in members.items():
                if key not in allowed:
                    child.unknown_key(key, allowed)
        for key in required:
            if key not in members:
                self.problem(f"`{key}` is missing", f"add `{key}: …`")
        return Members(self, members)

    def items(self) -> Iterator[Node]:
        """Read a list."""
        if not isinstance(self.value, list):
            self.problem("must be a list", "write it as `[a, b]` or one `- a` a line")
            return
        for index, value in enumerate(self.value):
            yield self._member(index, value, f"{self.path}[{index}]")

    # Either of two kinds

    def none_or(self, reader: Callable[[Node], T]) -> T | None:
        """Read the word `none` as None, and everything else by `reader`."""
        return None if self.value == NONE else reader(self)

    def either(self, scalar: Callable[[Node], T], mapping: Callable[[Node], T]) -> T:
        """Read a mapping by one reader, and everything else by the other."""
        return mapping(self) if isinstance(self.value, dict) else scalar(self)

    def unknown_key(self, key: str, allowed: tuple[str, ...]) -> None:
        """Note a key that means nothing here, with the nearest one that does."""
        near = difflib.get_close_matches(key[:_SHOWN_MAX], allowed, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(allowed)}"
        self._problems.add(
            self.line, self.column, f"{_cut(self.path)}: unknown key", _cut(key), hint
        )

    def _member(self, member: Any, value: Any, path: str) -> Node:
        line, column = self._problems.places.of(self.value, member) or (self.line, self.column)
        return Node(value, self._problems, path, line, column)

    # Scalars

    def text(self, default: str = "") -> str:
        """Read a non-empty text."""
        if isinstance(self.value, str) and self.value.strip():
            return self.value
        number = isinstance(self.value, (bool, int, float))
        self.problem("must be a text", f'write `"{self.value}"`' if number else "")
        return default

    def text_or_empty(self) -> str:
        """Read a text that may be empty."""
        return "" if self.value == "" else self.text()

    def constant(self, only: int, message: str, suggestion: str) -> int:
        """Read the one number that can stand here."""
        if type(self.value) is not int or self.value != only:
            self.problem(message, suggestion)
        return only

    def name(self, what: str) -> str:
        """Read an identifier: ASCII letters, digits, `.`, `_`, `-`, at most 100 of them.

        It stands in fields of HTTP and in labels of metrics.
        """
        if isinstance(self.value, str) and NAME.fullmatch(self.value):
            return self.value
        self.problem(f"{what} is made of letters, digits, `.`, `_` and `-`")
        return ""

    def one_of(self, choices: tuple[str, ...], default: str) -> str:
        """Read one of a few words."""
        word = self.value if isinstance(self.value, str) else ""
        if word in choices:
            return word
        near = difflib.get_close_matches(word[:_SHOWN_MAX], choices, n=1)
        hint = f"did you mean `{near[0]}`?" if near else ""
        self.problem(f"must be one of {', '.join(choices)}", hint)
        return default

    def flag(self, default: bool) -> bool:
        """Read true or false."""
        if isinstance(self.value, bool):
            return self.value
        self.problem("must be true or false")
        return default

    def count(self, default: int, least: int = 0, most: int = COUNT_MAX) -> int:
        """Read a whole number within bounds."""
        if (
            isinstance(self.value, int)
            and not isinstance(self.value, bool)
            and least <= self.value <= most
        ):
            return int(self.value)
        self.problem(f"must be a whole number from {least} to {most}")
        return default

    def percent(self, default: float = 0.0) -> float:
        """Read a share such as `10%` or `0.5%`; gives percent, 0 to 100."""
        found = PERCENT.fullmatch(str(self.value)) if isinstance(self.value, str) else None
        if found is None:
            number = isinstance(self.value, (int, float)) and not isinstance(self.value, bool)
            hint = f"write `{self.value}%` if that is what you mean" if number else ""
            self.problem("must be a share with its unit, such as 10% or 0.5%", hint)
            return default
        share = float(found[1])
        if share > 100:
            self.problem("must lie between 0% and 100%")
            return default
        return share

    def weight(self) -> int:
        """Read a share as hundredths of a percent, 0 to 10000."""
        return round(self.percent() * 100)

    def rate(self, default: float) -> float:
        """Read a share as a fraction, 0 to 1."""
        return self.percent(default * 100) / 100

    def duration(self, default: float, least: float = 0.0) -> float:
        """Read a time such as `500ms`, `2s`, `15m`, `1h`; gives seconds."""
        found = DURATION.fullmatch(str(self.value)) if isinstance(self.value, str) else None
        if found is None:
            number = isinstance(self.value, (int, float)) and not isinstance(self.value, bool)
            hint = f"write `{self.value}s` if you mean seconds" if number else ""
            self.problem("must be a time with its unit: ms, s, m, h or d", hint)
            return default
        seconds = float(found[1]) * _SECONDS[found[2]]
        if not least <= seconds <= _DURATION_MAX:
            self.problem(f"must lie between {least:g}s and 366d")
            return default
        return seconds

    def size(self, default: int, least: int = 0, most: int = 2**50) -> int:
        """Read a number of bytes such as `512KB` or `10MiB`; gives bytes."""
        text = str(self.value) if isinstance(self.value, str) else ""
        found = SIZE.fullmatch(text)
        if found is None:
            near = {unit.lower(): unit for unit in _BYTES}.get(text.lstrip("0123456789. ").lower())
            if isinstance(self.value, int) and not isinstance(self.value, bool):
                hint = f"write `{self.value}B` if you mean bytes"
            else:
                hint = f"did you mean `{near}`?" if near else ""
            self.problem("must be a size with its unit: B, KB, MB, GB, KiB, MiB or GiB", hint)
            return default
        size = round(float(found[1]) * _BYTES[found[2]])
        if not least <= size <= most:
            self.problem(f"must lie between {least} and {most} bytes")
            return default
        return size

    def frequency(self, default: float) -> float:
        """Read how often something may happen, such as `500/s`, `30/m` or `100/h`.

        Gives times a second.
        """
        found = FREQUENCY.fullmatch(self.value) if isinstance(self.value, str) else None
        if found is None:
            number = isinstance(self.value, (int, float)) and not isinstance(self.value, bool)
            hint = f"write `{self.value}/s` if you mean each second" if number else ""
            self.problem("must be a number and a unit of time: 20/s, 30/m or 100/h", hint)
            return default
        often = int(found[1]) / _SECONDS[found[2]]
        if not 0.0 < often <= _FREQUENCY_MAX:
            self.problem(f"must lie above 0 and at most {_FREQUENCY_MAX:.0f} a second")
            return default
        return often

    def times(self, default: float) -> float:
        """Read a factor, such as `1.5x`, from 1 to 100."""
        found = TIMES.fullmatch(self.value) if isinstance(self.value, str) else None
        if found is None:
            self.problem("must be a factor: 1.5x")
            return default
        factor = float(found[1])
        if not 1.0 <= factor <= _TIMES_MAX:
            self.problem(f"must lie between 1x and {_TIMES_MAX:.0f}x")
            return default
        return factor

    def scalar(self) -> str | int | float | bool | None:
        """Read one value of any kind."""
        if self.value is None or isinstance(self.value, str | int | float | bool):
            return self.value
        self.problem("must be one value: a text, a number, true, false or null")
        return None

    def bandwidth(self, default: float) -> float:
        """Read how many bytes may pass, such as `1MB/s` or `500KiB/m`; gives bytes a second."""
        found = BANDWIDTH.fullmatch(self.value) if isinstance(self.value, str) else None
        if found is None:
            sized = isinstance(self.value, str) and SIZE.fullmatch(self.value) is not None
            hint = f"write `{self.value}/s` if you mean each second" if sized else ""
            self.problem("must be a size and a unit of time: 1MB/s, 500KiB/s or 1GB/h", hint)
            return default
        much = float(found[2]) * _BYTES[found[3]] / _SECONDS[found[4]]
        if not 1.0 <= much <= _BANDWIDTH_MAX:
            self.problem("must lie between 1B and 1000GB a second")
            return default
        return much

    def day(self) -> date | None:
        """Read a date such as 2027-03-01."""
        try:
            if isinstance(self.value, str) and DAY.fullmatch(self.value):
                return date.fromisoformat(self.value)
        except ValueError:
            pass  # the 31st of February
        self.problem("must be a date such as 2027-03-01")
        return None

    def decimal(self) -> str:
        """Read a number from 0 on, exactly as it is written."""
        written = self.value
        text = str(written) if isinstance(written, (int, float, str)) else ""
        if isinstance(written, bool) or not DECIMAL.fullmatch(text):
            hint = "write a very small one as a text"
            self.problem("must be a number from 0 on, such as 0.01", hint)
            return "0"
        return text


class Members:
    """The keys of one mapping, read by name."""

    def __init__(self, node: Node, members: dict[str, Node]) -> None:
        self.node = node
        self._members = members

    def __contains__(self, key: str) -> bool:
        return key in self._members

    def __iter__(self) -> Iterator[tuple[str, Node]]:
        return iter(self._members.items())

    def get(self, key: str) -> Node | None:
        """Give the member of this name, or None."""
        return self._members.get(key)

    def read(self, key: str, reader: Callable[[Node], T], default: D) -> T | D:
        """Read a member, or give the default when it is absent."""
        node = self._members.get(key)
        return default if node is None else reader(node)


def each(reader: Callable[[Node], T]) -> Callable[[Node], tuple[T, ...]]:
    """Make a reader of lists out of the reader of their items."""
    return lambda node: tuple(reader(item) for item in node.items())


_SHOWN_MAX = 60


def _shown(value: Any) -> str:
    return _cut(repr(value[: _SHOWN_MAX + 1]) if isinstance(value, str) else str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 1] + "…"
