"""Where in a page something stands, as a path that the pages of one template have in common.

A path goes from the nearest element with an id, through landmarks (forms, tables, nav, main and
the like), to the element itself, and ends in `text` or the name of an attribute. Elements are told
apart by a label: the name of a field, the heading of a column, an id, or the first class. Digits
in labels become `*`, as they number entries: `html.article[#post-*].p.text`.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from shadow_compare.formats.html_element import Element, Place, field_name, subject_of, table_of
from shadow_compare.formats.html_vocabulary import FIELDS, LANDMARKS, STATES, UNNAMED_BY_ID
from shadow_compare.paths import Label, Path, Segment

ROOT: Final = "html"
CLIMB_MAX: Final = 64
"""Elements looked at above a place: markup may be nested ten thousand deep."""
LANDMARKS_MAX: Final = 4
LABEL_MAX: Final = 60

_NUMBERED = re.compile(r"([a-zA-Z]*?)\d+(?![a-zA-Z0-9])|[a-zA-Z0-9]*\d[a-zA-Z0-9]*")
_TAG = re.compile(r"[\w-]+")


def path_of(place: Place) -> Path:
    """Give the path of a place."""
    element, what, _ = place
    label = label_of(element)
    steps: list[Segment] = [*_step(element, label)]
    if what:
        steps.append(what)
    if element.above is None or label.startswith("#"):
        return (ROOT, *(steps if element.above is not None else steps[1:]))
    return (ROOT, *_landmarks(element.above, named=bool(label)), *steps)


def _landmarks(element: Element | None, *, named: bool) -> list[Segment]:
    """Steps down to a place: up to an id, and with a class where nothing nearer has a name."""
    found: list[list[Segment]] = []
    for _ in range(CLIMB_MAX):
        if element is None or element.above is None or len(found) == LANDMARKS_MAX:
            break
        label = label_of(element)
        if label.startswith("#") or element.tag in LANDMARKS or (label and not named):
            found.append(_step(element, label))
            named = named or bool(label)
        if label.startswith("#"):
            break
        element = element.above
    return [step for steps in reversed(found) for step in steps]


def _step(element: Element, label: str) -> list[Segment]:
    tag = element.tag if _TAG.fullmatch(element.tag) else "unknown"
    return [tag, Label(label)] if label else [tag]


def label_of(element: Element) -> str:
    """Give what tells an element from others of its tag; empty when nothing does."""
    tag = element.tag
    if tag in FIELDS:
        return cleaned(field_name(element))
    if tag in ("td", "th", "dd"):
        return _heading(element) or _own_label(element)
    if tag == "form":
        return _own_label(element) or _form_label(element)
    if tag in ("meta", "link"):
        return cleaned(subject_of(element))
    return _own_label(element)


def _heading(cell: Element) -> str:
    if cell.tag == "dd":
        return cleaned((cell.heads or {}).get(0, ""))
    table, row = table_of(cell), cell.above
    heading = (table.heads or {}).get(cell.cells, "") if table is not None else ""
    if not heading and cell.tag == "td" and row is not None and row.cells <= 2 and row.heads:
        heading = row.heads.get(0, "")  # a table of names and values
    return cleaned(heading)


def _form_label(form: Element) -> str:
    if name := form.attributes.get("name"):
        return cleaned(name)
    try:
        return cleaned(urlsplit(form.attributes.get("action", "")).path)
    except ValueError:
        return ""


def _own_label(element: Element) -> str:
    if not element.written or element.tag in ("html", "body"):
        return ""
    attributes = element.attributes
    if element.tag not in UNNAMED_BY_ID and (own := cleaned(attributes.get("id", ""))):
        return f"#{own}"
    for each in attributes.get("class", "").split():
        if each.lower() not in STATES:
            return f".{cleaned(each)}"
    return ""


def cleaned(label: str) -> str:
    """Make a label fit for a path, and the same for all entries of one list."""
    label = _NUMBERED.sub(lambda found: f"{found[1] or ''}*", label)
    label = label.replace("][", ".").replace("[", ".").replace("]", "")
    return " ".join(label.split())[:LABEL_MAX]
