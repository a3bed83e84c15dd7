r"""Where in an answer something stands, and patterns over it.

Grammar of a pattern, as written in rules and shown in signatures:

    pattern  = "status" / "headers." field-name *step / body *step
    body     = "$"                  JSON, and content without a format of its own
             / "html" / "xml" / "text" / "csv" / "form" / "pdf"
             / "notice"             what PHP has printed before or within the content
    step     = "." name             a member; name is letters, digits, "_" and "-"
             / "['" any-name "']"   a member of any other name
             / ".*"                 any member
             / "[" 1*DIGIT "]"      the element at this index
             / "[*]"                any element
             / "[order]"            the order of an array's elements
             / "[length]"           the number of an array's elements
             / "[" label "]"        in html: what tells an element from others of its kind

In html a member is an element or one of its attributes, or `text`; `[*]` is any label, too.

A pattern speaks for the place it names and for everything beneath. A concrete path says `[3]`, or
`[id=40]` where elements are matched by a key.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple

_STEP = re.compile(
    r"\.(?P<name>[\w-]+)|\['(?P<quoted>[^'\]]+)'\]|\[(?P<index>\d+)\]"
    r"|(?P<member>\.\*)|(?P<element>\[\*\])|\[(?P<aspect>order|length)\]"
)
_LABEL = re.compile(r"\[(?P<label>[^\[\]]+)\]")
_ROOT = re.compile(
    r"headers\.(?P<field>[!#$%&'+^_`|~0-9A-Za-z-]+)"
    r"|\$|(?:html|xml|text|csv|form|pdf|notice)(?=[.\[]|$)"
)
_PLAIN_NAME = re.compile(r"[\w-]+")
_ID_NAME = re.compile(r"\d+|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""A member of such a name is an entry of a map by id, not a field."""


class Aspect(Enum):
    """What can differ about an array besides its elements."""

    ORDER = "order"
    LENGTH = "length"


class Wildcard(Enum):
    """Wildcards of a pattern."""

    MEMBER = ".*"
    ELEMENT = "[*]"


class Element(NamedTuple):
    """An element of an array that is identified by a key; it stands at index `at`."""

    key: str
    value: str
    at: int


class Label(NamedTuple):
    """What tells an element of a page from others of its kind: `[#login]`, `[csrf]`, `[.price]`."""

    name: str


Segment = str | int | Element | Label | Aspect
Path = tuple[Segment, ...]
Step = str | int | Label | Aspect | Wildcard
Pattern = tuple[Step, ...]

BODY: Final[Path] = ("$",)
STATUS: Final[Path] = ("status",)
HEADERS: Final[Path] = ("headers",)
NOTICE: Final = ("notice",)
"""What PHP has printed into an answer because something was amiss."""


def parse_pattern(text: str) -> Pattern:
    """Read a pattern; raises ValueError with what is wrong."""
    if text == "status":
        return ("status",)
    root = _ROOT.match(text)
    if root is None:
        raise ValueError(
            f"`{text}` is not a path: start with `$`, `html`, `text`, `csv`, `form`, `xml`, `pdf`, "
            "`notice`, `status` or `headers.NAME`"
        )
    field = root["field"]
    steps: list[Step] = [root[0]] if field is None else ["headers", field.lower()]
    position = root.end()
    while position < len(text):
        step = _STEP.match(text, position)
        label = _LABEL.match(text, position) if root[0] == "html" else None
        if label is not None and (step is None or step["aspect"]):
            steps.append(Label(label["label"]))
            position = label.end()
        elif step is not None:
            steps.append(_step_of(step))
            position = step.end()
        else:
            raise ValueError(f"`{text}` is not a path: cannot read `{text[position:]}`")
    return tuple(steps)


def _step_of(step: re.Match[str]) -> Step:
    found = step.groupdict()
    if found["index"] is not None:
        return int(found["index"])
    if found["aspect"]:
        return Aspect(found["aspect"])
    if found["member"]:
        return Wildcard.MEMBER
    if found["element"]:
        return Wildcard.ELEMENT
    return found["name"] or found["quoted"]


def covers(pattern: Pattern, path: Path) -> bool:
    """Whether the pattern names this place or one above it."""
    return len(pattern) <= len(path) and _fits(pattern, path, len(pattern))


def is_exactly(pattern: Pattern, path: Path) -> bool:
    """Whether the pattern names just this place."""
    return len(pattern) == len(path) and _fits(pattern, path, len(pattern))


def touches(pattern: Pattern, path: Path) -> bool:
    """Whether the pattern names this place, one above it, or one that may be beneath it."""
    return _fits(pattern, path, min(len(pattern), len(path)))


def _fits(pattern: Pattern, path: Path, steps: int) -> bool:
    for at in range(steps - 1, -1, -1):  # from the end, where most patterns differ from most paths
        step, segment = pattern[at], path[at]
        if step != segment and (type(step) is str or not _stands_for(step, segment)):
            return False
    return True


def _stands_for(step: Step, segment: Segment) -> bool:
    if step is Wildcard.ELEMENT:
        return isinstance(segment, int | Element | Label)
    if step is Wildcard.MEMBER:
        return isinstance(segment, str)
    if isinstance(segment, Element):
        return step == segment.at
    if isinstance(segment, Aspect) and isinstance(step, Label):
        return step.name == segment.value  # `[order]` may be a field, or an array's order
    return False


def path_text(path: Path) -> str:
    """Write a path out, for people."""
    return _written(path, wild=False)


def wildcard_text(path: Path) -> str:
    """Write the pattern that a path is one case of, so that a thousand rows group as one."""
    return _written(path, wild=True)


def _written(path: Path, *, wild: bool) -> str:
    return str(path[0]) + "".join([_segment_text(segment, wild=wild) for segment in path[1:]])


def _segment_text(segment: Segment, *, wild: bool) -> str:
    if isinstance(segment, str):
        return _wild_name(segment) if wild else _name(segment)
    if isinstance(segment, Aspect):
        return f"[{segment.value}]"
    if isinstance(segment, Label):
        return f"[{segment.name}]"
    if wild:
        return "[*]"
    return f"[{segment}]" if isinstance(segment, int) else f"[{segment.key}={segment.value}]"


def _name(name: str) -> str:
    if _PLAIN_NAME.fullmatch(name):
        return f".{name}"
    return f"['{name.replace(chr(39), '?').replace(']', '?')}']"


@lru_cache(maxsize=4096)  # a place is written for each of its differences
def _wild_name(name: str) -> str:
    return ".*" if _ID_NAME.fullmatch(name) else _name(name)
